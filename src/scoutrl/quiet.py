"""What people are shown: no warnings of libraries, and messages that end no program because nobody can read them."""

import codecs
import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, final

from scoutrl.errors import ScoutError

_PLAIN = {"…": "...", "·": "-", "→": "->", "–": "-", "−": "-", "±": "+-"}
"""What stands for characters that a terminal cannot show."""


@contextlib.contextmanager
def silence_libraries() -> Iterator[None]:
    """Within the block no warning of a library is shown; errors still are."""
    # Read when JAX is imported, for what its C++ part writes to stderr by itself.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def tell(message: str) -> None:
    """One line to the user, on stderr; stdout is kept for results. That it cannot be written ends nothing.

    What is no character to be read, such as the line break in the name of a file, is written as Python would.
    """
    print(_readable(message), file=Stream(sys.stderr, lenient=True), flush=True)


@final
class Stream:
    """A text stream that takes any character: what its encoding lacks is written in ASCII, or as a question mark."""

    def __init__(self, stream: Any, lenient: bool):
        """Write to `stream`, which may be closed, full, simpler than a file, or None.

        Args:
            stream: such as `sys.stderr`.
            lenient: that it cannot be written is passed over; otherwise it is a ScoutError, or a BrokenPipeError.
        """
        self._stream, self._lenient = stream, lenient

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def encoding(self) -> str:
        """That of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        with contextlib.suppress(AttributeError, ValueError):
            return bool(self._stream.isatty())
        return False

    def write(self, text: str) -> int:
        """Write, and give the number of characters."""
        self._try(lambda: self._stream.write(text.encode(self.encoding, _INSTEAD).decode(self.encoding)))
        return len(text)

    def flush(self) -> None:
        """Hand on to the system what was written."""
        self._try(lambda: self._stream.flush())

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        # A stream that is closed raises a ValueError, None an AttributeError, one that a signal has interrupted in
        # the midst of writing a RuntimeError.
        except (OSError, ValueError, AttributeError, RuntimeError) as error:
            if self._lenient:
                return
            if isinstance(error, BrokenPipeError):
                raise
            reason = getattr(error, "strerror", None) or str(error)
            raise ScoutError(f"the output cannot be written ({reason}); send it elsewhere.") from error


def _readable(message: str) -> str:
    if message.isprintable():
        return message
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in message)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_PLAIN.get(character, "?") for character in error.object[error.start : error.end]), error.end


_INSTEAD = "scoutrl.ascii"
codecs.register_error(_INSTEAD, _in_ascii)
