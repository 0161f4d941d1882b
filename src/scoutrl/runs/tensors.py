"""Named arrays in one safetensors file: a JSON header, then the raw numbers. Nothing in it is ever executed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from scoutrl.errors import ScoutError

_TYPES = {
    "bool": "BOOL",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}


class UnreadableError(Exception):
    """A file that is missing, cut short or something else; the message says which, without the file's name."""


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> str:
    """Write `arrays` to the new file `path`, without a copy of them in memory, and have the disk keep it.

    Written here and not by the library, which makes the file unreadable for others and hides why a disk refuses.

    Returns:
        The SHA-256 of the file, in hexadecimal.

    Raises:
        OSError: the disk is full or refuses.
        ScoutError: an array is of a type that the format has no name for.
    """
    # Large numbers first, so that all begin at a multiple of their size.
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    dense = {name: np.asarray(arrays[name], order="C") for name in names}
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, array in dense.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": _type_of(name, array), "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    checksum = hashlib.sha256()
    with path.open("wb") as file:
        for piece in (len(text).to_bytes(8, "little"), text, *(_raw(array) for array in dense.values())):
            file.write(piece)
            checksum.update(piece)
    return checksum.hexdigest()


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """All arrays in a file.

    Raises:
        UnreadableError: there is no such file, or it is not whole.
    """
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise UnreadableError("is missing") from error
    except (OSError, SafetensorError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {' '.join(str(error).split())}") from error


def read_header(path: Path) -> tuple[set[str], dict[str, str]]:
    """The names of the arrays in a file, and its metadata. The arrays are not read; the file is as long as they are.

    Raises:
        UnreadableError: there is no such file, or it is not whole.
    """
    try:
        with safe_open(path, "np") as file:
            return set(file.keys()), file.metadata() or {}
    except FileNotFoundError as error:
        raise UnreadableError("is missing") from error
    except (OSError, SafetensorError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {' '.join(str(error).split())}") from error


def _raw(array: np.ndarray) -> memoryview:
    """The bytes of a dense array; no copy."""
    return memoryview(array.reshape(-1).view(np.uint8))  # pyright: ignore[reportArgumentType]


def _type_of(name: str, array: np.ndarray) -> str:
    if array.dtype.name not in _TYPES:
        raise ScoutError(f"{name} cannot be saved: there is no safetensors type for {array.dtype.name}.")
    return _TYPES[array.dtype.name]
