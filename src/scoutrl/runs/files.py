"""Files that are read only where they are files, and written so that a reader finds the old content or the new."""

import contextlib
import errno
import itertools
import os
import re
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from scoutrl.errors import ScoutError

_MOST = 100_000_000
"""Bytes of the largest text that is read whole."""
_MACHINE = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Reasons for which a file that is whole cannot be read."""


def local(path: str | os.PathLike[str], option: str = "--out") -> Path:
    """A place on this machine's file system, as `option` names it.

    Raises:
        ScoutError: it is the address of something else, such as s3://bucket/run, or no path at all.
    """
    text = os.fspath(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise ScoutError(f"{text} is an address and no directory; {option} takes a place on this machine's disks.")
    if "\0" in text:
        raise ScoutError(f"{text!r} is no path: there is a NUL in it; name another {option}.")
    return Path(text)


def new_file(path: str | os.PathLike[str], option: str = "--out") -> Path:
    """A file that can be written or replaced, as `option` names it; for those who look before they work.

    Raises:
        ScoutError: as for `local`, or a directory, a device or the like has that name, or is where one should be.
    """
    file = local(path, option)
    with writing(file):
        _refuse_special(file)
        if not next(filter(os.path.exists, file.absolute().parents)).is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is not within a directory")
    return file


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The file `path`, open to be read.

    Raises:
        FileNotFoundError: there is none.
        OSError: it is no file but a pipe, a device or the like, which might never end; or the system refuses.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file")
    with open(descriptor, "rb") as file:
        yield file


def read_text(path: Path) -> str:
    """The text in the file `path`, as `opened`; a ValueError where it is none, or where that is no path."""
    with opened(path) as file:
        if os.fstat(file.fileno()).st_size > _MOST:
            raise OSError(errno.EFBIG, "is too large")
        return file.read().decode()


def read_given(path: Path) -> str:
    """The text in what a user names on purpose, a pipe such as `<(…)` too; otherwise as `read_text`."""
    # So opened, a pipe that nobody writes to is empty, and not waited for.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        os.set_blocking(file.fileno(), True)
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise OSError(errno.EFBIG, "is too large")
    return content.decode()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a new, empty file beside `path`; it takes the place of `path` in one go when all went well.

    Raises:
        OSError: a directory, a device or the like has that name; or the system refuses.
    """
    _refuse_special(path)
    temporary = _new_beside(path)
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def is_temporary(name: str, of: str = "") -> bool:
    """Whether a file of that name is what `replacing`, of the file `of` or of any, leaves when it is killed."""
    return re.fullmatch(rf"\.{re.escape(of) or '.+'}\.\d*tmp", name) is not None


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


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to open what is in `path` into one line; other errors pass.

    Raises:
        ScoutError: the user may not read it, too many files are open, or the like: what is there may be whole.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _MACHINE:
            raise
        raise ScoutError(f"{path} cannot be read now ({error.strerror}); nothing in it was changed.") from error


def _refuse_special(path: Path) -> None:
    """Refuse to replace what is no file: a user who may do all would lose /dev/null to a page that is sent there."""
    if not path.name or path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no regular file")


def _new_beside(path: Path) -> Path:
    """A new file of a name that nothing had: what a user has there is neither overwritten nor written through."""
    for number in itertools.count():
        temporary = path.with_name(f".{path.name}.{number or ''}tmp")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            return temporary
    raise AssertionError
