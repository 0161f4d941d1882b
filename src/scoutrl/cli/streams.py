"""The standard streams of the program `scout`, whatever they are: closed, full, of another encoding."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO, cast

from scoutrl.quiet import Stream


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Within the block results that cannot be written are an error in one line; messages that cannot are dropped."""
    # A file opened later would get the number of a stream that is closed, and what C libraries print with it.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    with open(os.devnull, "w") as nowhere:
        out, err = sys.stdout or nowhere, sys.stderr or nowhere
        results, messages = (cast(IO[str], Stream(stream, stream is err)) for stream in (out, err))
        with contextlib.redirect_stdout(results), contextlib.redirect_stderr(messages):
            yield
        for stream in (out, err):
            _give_up(stream)


def _give_up(stream: IO[str]) -> None:
    """Drop what cannot be written: Python would try again at exit, and complain."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
