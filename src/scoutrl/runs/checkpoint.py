"""Checkpoints: written whole or not at all, and checked before they are believed."""

import contextlib
import errno
import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scoutrl.errors import ScoutError
from scoutrl.runs.files import sync, write_text, writing

KEEP = 3
"""Checkpoints kept; the older ones stand in for a damaged one."""
_MANIFEST = "manifest.json"


def save(directory: Path, number: int, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` as the checkpoint `number` in `directory`, and drop all but the last `KEEP`.

    It is written under another name, given a manifest of checksums, and renamed when all of it is on the disk.

    Raises:
        ScoutError: the disk is full or refuses; the checkpoints there were are left as they were.
    """
    final, temporary = directory / f"{number:010d}", directory / f"{number:010d}.tmp"
    with writing(directory):
        directory.mkdir(exist_ok=True)
        _clear(directory)
        try:
            _write_arrays(temporary, arrays)
            _write_manifest(temporary)
            if final.exists():
                shutil.rmtree(final)
            temporary.rename(final)
            sync(directory)
        finally:
            _clear(directory)
        # One of a higher number was found damaged, or this run would not be at `number`.
        newer = [path for path in _finished(directory) if path.name > final.name]
        for path in [*newer, *_finished(directory)[len(newer) + KEEP :]]:
            shutil.rmtree(path, ignore_errors=True)


def load(directory: Path) -> dict[str, np.ndarray] | None:
    """The arrays of the newest checkpoint in `directory` that is whole; None where there has never been one.

    A damaged one is passed over, which is said in one line on stderr.

    Raises:
        ScoutError: there are checkpoints and all of them are damaged.
    """
    found = _finished(directory)
    for path in found:
        flaw = _flaw(path)
        arrays = _read_arrays(path) if flaw is None else None
        if arrays is not None:
            return arrays
        then = "there is none before it" if path == found[-1] else "going back to the one before"
        print(f"The checkpoint {path} is damaged ({flaw or 'unreadable'}); {then}.", file=sys.stderr)
    if found:
        raise ScoutError(f"all checkpoints in {directory} are damaged; train anew in another directory with --out DIR.")
    return None


def _finished(directory: Path) -> list[Path]:
    """Checkpoints, newest first."""
    if not directory.is_dir():
        return []
    return sorted((path for path in directory.iterdir() if path.name.isdigit()), reverse=True)


def _clear(directory: Path) -> None:
    """Remove what an interrupted save left behind."""
    for path in directory.glob("*tmp*"):
        shutil.rmtree(path, ignore_errors=True)


def _write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Let Orbax write `arrays` into the new directory `path`.

    Raises:
        OSError: the disk is full or refuses. TensorStore's own exceptions are of many types and name the reason in
            their text only, so that any of them is taken for this.
    """
    # Orbax refuses arrays of size 0; they hold nothing, and are made anew from their shape when read.
    content = {name: array for name, array in arrays.items() if array.size}
    try:
        with _checkpointer() as checkpointer:
            checkpointer.save(path.absolute(), content)
    except OSError:
        raise
    except Exception as error:
        raise _as_os_error(error) from error


def _as_os_error(error: Exception) -> OSError:
    text = str(error)
    full = "No space left" in text or "quota exceeded" in text
    return OSError(errno.ENOSPC if full else errno.EIO, text.splitlines()[0] if text else type(error).__name__)


def _read_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """What `_write_arrays` wrote; None if Orbax cannot read it."""
    try:
        with _checkpointer() as checkpointer:
            return {name: np.asarray(array) for name, array in checkpointer.restore(path.absolute()).items()}
    except Exception:
        return None


def warm_up() -> None:
    """Import what saving needs, which takes nearly half a second, at a time of the caller's choice."""
    import orbax.checkpoint  # noqa: F401


@contextlib.contextmanager
def _checkpointer() -> Iterator[Any]:
    import orbax.checkpoint as ocp

    # Orbax logs what it raises, with the tracebacks of all its threads.
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
            yield checkpointer
    finally:
        logger.setLevel(before)


def _write_manifest(path: Path) -> None:
    files = {str(file.relative_to(path)): _checksum(file) for file in sorted(path.rglob("*")) if file.is_file()}
    for file in files:
        sync(path / file)
    for folder in [path, *(folder for folder in path.rglob("*") if folder.is_dir())]:
        sync(folder)
    write_text(path / _MANIFEST, json.dumps({"sha256": files}, indent=1))


def _flaw(path: Path) -> str | None:
    """What is wrong with the checkpoint `path`; None if every byte is as it was written."""
    try:
        files: dict[str, str] = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))["sha256"]
        wrong = next((file for file, checksum in files.items() if _checksum(path / file) != checksum), None)
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{_MANIFEST} is unreadable"
    return None if wrong is None else f"{Path(wrong).name} is not as it was written"


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
