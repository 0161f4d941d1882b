"""Checkpoints in parts: written whole or not at all, each part read alone, checked before it is believed.

A checkpoint is a directory with one safetensors file a part and `manifest.json`, which holds whose it is, the counters
of the run, and a checksum of each file and of itself.
"""

import contextlib
import dataclasses
import errno
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.runs.config import completed
from scoutrl.runs.files import opened, reading, sync, writing
from scoutrl.runs.manifest import read_manifest, write_manifest
from scoutrl.runs.run_dir import differences, listed
from scoutrl.runs.tensors import UnreadableError, read_header, read_tensors, write_tensors

KEEP = 3
"""Checkpoints kept; the older ones stand in for a damaged one."""
Parts = Mapping[str, Mapping[str, Any]]
"""Name of a part, such as "agent", to its arrays by name: of NumPy, or large ones that come in pieces."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What was read of a checkpoint."""

    parts: Parts
    """The parts that were asked for."""
    counters: dict[str, float]
    """How far the run was."""
    identity: dict[str, Any]
    """Whose it is, see `RunConfig.identity`."""


def save(
    directory: Path, number: int, parts: Parts, identity: Mapping[str, Any], counters: Mapping[str, float]
) -> None:
    """Write the checkpoint `number` in `directory`, and drop all but the last `KEEP`.

    It is written under another name, read back as far as its headers, and renamed when all of it is on the disk.

    Args:
        directory: where the checkpoints of one run are, made if need be.
        number: grows with time.
        parts: the arrays, by part and name.
        identity: whose it is, as `load` will be asked for it.
        counters: numbers that are to be read without any array.

    Raises:
        ScoutError: the disk is full or refuses; the checkpoints there were are left as they were.
    """
    final, temporary = directory / f"{number:010d}", directory / f"{number:010d}.tmp"
    with writing(directory):
        directory.mkdir(exist_ok=True)
        _clear(directory)
        try:
            _write(temporary, parts, identity, counters)
            _read_back(temporary, parts)
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


def load(directory: Path, identity: Mapping[str, Any] | None, parts: Sequence[str]) -> Checkpoint | None:
    """Read `parts` of the newest checkpoint in `directory` in which they are whole; None where there is none at all.

    A checkpoint that is damaged in one of `parts` is passed over, which is said in one line on stderr. What else is in
    it is neither read nor checked; without any part, no array is.

    Args:
        directory: where the checkpoints of one run are.
        identity: whose they have to be; None takes any.
        parts: names of parts.

    Raises:
        ScoutError: there are checkpoints and all of them are damaged, another run's, or of another version.
    """
    found = _finished(directory)
    for path in found:
        try:
            return _read(path, identity, parts)
        except UnreadableError as flaw:
            then = "there is none before it" if path == found[-1] else "going back to the one before"
            tell(f"The checkpoint {path} is damaged ({flaw}); {then}.")
    if found:
        raise ScoutError(f"all checkpoints in {directory} are damaged; train anew in another directory with --out DIR.")
    return None


def refuse_others(directory: Path, identity: Mapping[str, Any]) -> None:
    """Check that no other run than that of `identity` has saved in `directory`; what is damaged may be anybody's.

    Raises:
        ScoutError: one has.
    """
    for path in _finished(directory):
        with contextlib.suppress(UnreadableError):
            _refuse_other(path, read_manifest(path), identity)


def newest_name(directory: Path) -> str:
    """Name of the newest checkpoint in `directory`, whole or damaged; empty where there is none."""
    return next((path.name for path in _finished(directory)), "")


def finished(directory: Path) -> bool:
    """Whether there is a checkpoint in `directory`, whole or damaged."""
    return bool(_finished(directory))


def _finished(directory: Path) -> list[Path]:
    """Checkpoints, newest first."""
    with reading(directory):
        if not directory.is_dir():
            return []
        return sorted((path for path in directory.iterdir() if re.fullmatch("[0-9]{10}", path.name)), reverse=True)


def _clear(directory: Path) -> None:
    """Remove what an interrupted save left behind."""
    for path in directory.iterdir():
        if re.fullmatch(r"[0-9]{10}\.tmp", path.name):
            shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, parts: Parts, identity: Mapping[str, Any], counters: Mapping[str, float]) -> None:
    """Write all files into the new directory `path`, and have the disk keep them."""
    path.mkdir()
    files = {_file(part): write_tensors(path / _file(part), arrays) for part, arrays in parts.items()}
    for file in files:
        sync(path / file)
    write_manifest(path, identity, counters, files)


def _read_back(path: Path, parts: Parts) -> None:
    """See whether what was written can be found again.

    Raises:
        OSError: it cannot.
    """
    try:
        read_manifest(path)
        same = all(read_header(path / _file(part))[0] == arrays.keys() for part, arrays in parts.items())
    except UnreadableError as error:
        raise OSError(errno.EIO, f"what was written {error}") from error
    if not same:
        raise OSError(errno.EIO, "the file system gives back other content than was written")


def _read(path: Path, identity: Mapping[str, Any] | None, parts: Sequence[str]) -> Checkpoint:
    """What `load` gives, of one checkpoint.

    Raises:
        UnreadableError: it is damaged.
        ScoutError: it is another run's or of another version.
    """
    manifest = read_manifest(path)
    _refuse_other(path, manifest, identity)
    return Checkpoint(
        {part: _read_part(path / _file(part), manifest["sha256"].get(_file(part))) for part in parts},
        manifest["counters"],
        manifest["identity"],
    )


def _refuse_other(path: Path, manifest: Mapping[str, Any], identity: Mapping[str, Any] | None) -> None:
    if identity is None:
        return
    # Compared as JSON, in which a tuple is a list.
    here = json.loads(json.dumps(identity))
    if other := differences(completed(manifest["identity"], here), here):
        raise ScoutError(f"the checkpoint {path} is of another run: {listed(other)}; move it out of the way.")


def _read_part(file: Path, checksum: str | None) -> dict[str, Any]:
    try:
        with reading(file), opened(file) as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != checksum:
            raise UnreadableError("is not as it was written")
        return read_tensors(file)
    except FileNotFoundError as error:
        raise UnreadableError(f"{file.name} is missing") from error
    except (OSError, UnreadableError) as error:
        raise UnreadableError(f"{file.name} {error}") from error


def _file(part: str) -> str:
    return f"{part}.safetensors"
