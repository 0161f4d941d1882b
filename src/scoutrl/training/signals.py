"""SIGINT and SIGTERM: noted, and acted on when the training loop is between two chunks."""

import signal
import threading
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal, after it was saved. The message says how to go on."""

    def __init__(self, message: str, signum: int):
        super().__init__(message)
        self.signum = signum
        """SIGINT or SIGTERM."""

    @property
    def exit_code(self) -> int:
        """What a shell expects of a command that was stopped so: 130 or 143."""
        return 128 + self.signum


class StopSignals:
    """While entered, SIGINT and SIGTERM are only noted in `received`. Outside the main thread it does nothing."""

    def __init__(self) -> None:
        self.received: int | None = None
        """The first of the two signals that came; None as long as none has."""
        self._before = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGINT, signal.SIGTERM):
                # A process started with `nohup` or in the background ignores a signal on purpose.
                if signal.getsignal(signum) is not signal.SIG_IGN:
                    self._before[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        self._before = {}

    def _note(self, signum: int, _: FrameType | None) -> None:
        self.received = self.received or signum
