"""SIGINT and SIGTERM: noted, and acted on when the training loop is between two chunks."""

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType
from typing import Any, TypeVar

from scoutrl.errors import without_constructor
from scoutrl.quiet import tell

_TWICE = 0.1
"""Seconds within which a second signal is the first one again: `timeout` and other programs pass on what we got too."""
Result = TypeVar("Result")


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal, after it was saved. The message says how to go on."""

    def __init__(self, message: str, signum: int):
        super().__init__(message)
        self.signum = signum
        """SIGINT or SIGTERM."""

    def __reduce__(self) -> tuple[Any, ...]:
        return without_constructor(self)

    @property
    def exit_code(self) -> int:
        """What a shell expects of a command that was stopped so: 130 or 143."""
        return 128 + self.signum


class StopSignals:
    """While entered, SIGINT and SIGTERM are only noted in `received`. Outside the main thread it does nothing.

    The first one is answered at once in one line; a second SIGINT ends everything at once, as an `Interrupted`.
    """

    def __init__(self, until: str, show: bool = True) -> None:
        """Say with the first signal, if `show`, that it will stop after `until`."""
        self.received: int | None = None
        """The first of the two signals that came; None as long as none has."""
        self.until = until
        self._show = show
        self._at = 0.0
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
        now = time.monotonic()
        if self.received is None:
            self.received, self._at = signum, now
            if self._show:
                tell(f"Stopping after {self.until}, to save; Ctrl-C again ends at once, and what is unsaved is lost.")
        elif signum == signal.SIGINT and now - self._at > _TWICE:
            raise Interrupted("Stopped at once; the same command goes on from the last checkpoint.", signum)


def aside(work: Callable[[], Result]) -> Future[Result]:
    """Do `work` in a thread of its own, which nothing waits for at exit.

    While the main thread waits for the result it attends to signals; while it computes itself it would not.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # raised again by `result`
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
