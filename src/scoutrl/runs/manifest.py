"""The manifest of a checkpoint: whose it is, how far the run was, and checksums of its files and of itself."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoutrl._version import installed_version
from scoutrl.runs.files import read_text, reading, write_text
from scoutrl.runs.run_dir import FORMAT, check_format
from scoutrl.runs.tensors import UnreadableError

_MANIFEST = "manifest.json"
_TABLES = ("identity", "counters", "sha256")


def write_manifest(
    path: Path, identity: Mapping[str, Any], counters: Mapping[str, float], sha256: Mapping[str, str]
) -> None:
    """Write the manifest of the checkpoint in the directory `path`; `sha256` is file name to checksum.

    Raises:
        OSError: the disk is full or refuses.
    """
    content = {
        "format": FORMAT,
        "version": installed_version(),
        "identity": identity,
        "counters": counters,
        "sha256": sha256,
    }
    write_text(path / _MANIFEST, json.dumps(content | {"checksum": _checksum(content)}, indent=1))


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint in the directory `path`, if all of it is as it was written.

    Raises:
        UnreadableError: it is missing or damaged.
        ScoutError: it is of another version of Scout.
    """
    try:
        with reading(path):
            content = json.loads(read_text(path / _MANIFEST))
        if content["sha256"]:  # 0.1 wrote this and nothing else
            check_format(content, path)
        checksum = content.pop("checksum")
    except FileNotFoundError as error:
        raise UnreadableError(f"{_MANIFEST} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(f"{_MANIFEST} cannot be read") from error
    if checksum != _checksum(content) or not all(isinstance(content.get(name), dict) for name in _TABLES):
        raise UnreadableError(f"{_MANIFEST} is not as it was written")
    return content


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
