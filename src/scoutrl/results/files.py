"""The file results.json: how it is written, read, and which versions of it can be read."""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from scoutrl.decoding import decode
from scoutrl.errors import ScoutError
from scoutrl.runs.files import read_text, write_text, writing

RESULTS = "results.json"
"""Name of the file in the directory of an experiment."""
VERSION = 1
"""Version of the format; files without one, from before it was written, are of version 1."""
T = TypeVar("T")


def write_results(directory: Path, content: Mapping[str, Any]) -> None:
    """Write results.json in `directory`, or replace it in one go.

    Raises:
        ScoutError: the disk is full or refuses.
    """
    with writing(directory):
        write_text(directory / RESULTS, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_results(path: str | os.PathLike[str], from_dict: Callable[[object, Path], T]) -> T:
    """Read a results file.

    Args:
        path: the file, under whatever name, or the directory with results.json in it.
        from_dict: makes the result of the file's content and its directory.

    Raises:
        ScoutError: there is no such file, it is not JSON, or `from_dict` refuses its content.
    """
    file = Path(path)
    try:
        file = file / RESULTS if file.is_dir() else file
        content = json.loads(read_text(file), parse_constant=_refuse_constant, parse_float=_finite)
    except OSError as error:
        raise ScoutError(
            f"{file} cannot be read ({error.strerror or error}); name a {RESULTS} or the directory that holds it."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ScoutError(f"{file} is not JSON ({error}); name a {RESULTS} that Scout wrote.") from error
    try:
        return from_dict(content, file.parent)
    except ScoutError as error:
        raise ScoutError(f"{file}: {error}") from error


def decode_results(content: object, kind: type[T], path: Path, what: str) -> T:
    """Make a result of the content of results.json and its directory `path`; otherwise as `decode`.

    Raises:
        ScoutError: the content is of an unknown version, or is not `what`.
    """
    if not isinstance(content, Mapping):
        raise ScoutError(f"this is not {what} that Scout wrote: it is no JSON object.")
    if (version := content.get("version", VERSION)) != VERSION:
        raise ScoutError(f"this is of version {version!r}, and this Scout reads version {VERSION} only; update Scout.")
    return decode({**content, "path": path}, kind, what)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is too large a number")
    return number
