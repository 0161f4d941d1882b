"""What those see who wait for a command that takes longer than a moment."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from scoutrl.quiet import Stream, tell

_PATIENCE = 2.0
"""Seconds after which something is said."""
_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """While the block takes longer than two seconds, say on stderr what is going on and for how long."""
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _tell(what: str, over: threading.Event) -> None:
    began, stream = time.monotonic(), Stream(sys.stderr, lenient=True)
    pause, line = _PATIENCE, ""
    while not over.wait(pause):
        said = f"{what} … {time.monotonic() - began:.0f} s"
        if stream.isatty():
            line, pause = said, 1.0
            stream.write(f"\r{said}")
            stream.flush()
        else:
            pause = _EVERY
            tell(said)
    if line:
        stream.write(f"\r{' ' * len(line)}\r")
        stream.flush()
