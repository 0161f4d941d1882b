"""Writing files so that a reader finds the old content or the new, whatever happens in between."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from scoutrl.errors import ScoutError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a file to write beside `path`; it takes the place of `path` in one go when all went well."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path` in one go."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Have the disk keep what was written to the file or directory `path`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write under `path` into one line.

    Raises:
        ScoutError: the disk is full, the place may not be written to, or the like.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ScoutError(
                f"the disk is full: {path} could not be written; free some space and try again."
            ) from error
        reason = error.strerror or str(error)
        raise ScoutError(f"{path} could not be written ({reason}); put it right or name another --out.") from error
