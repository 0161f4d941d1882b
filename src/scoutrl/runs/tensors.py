"""Named arrays in one safetensors file: a JSON header, then the raw numbers. Nothing in it is ever executed."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

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


LARGE = 2**26
"""Bytes of an array that is read and written in pieces of about that size."""


class StoredArray:
    """A large array in a file, read when it is asked for: whole by `numpy.asarray`, or in `pieces`."""

    def __init__(self, path: Path, begin: int, dtype: np.dtype, shape: tuple[int, ...]):
        """Of `shape` and `dtype`, at byte `begin` of the file `path`."""
        self._path, self._begin, self.dtype, self.shape = path, begin, dtype, shape

    def pieces(self) -> Iterator[tuple[int, np.ndarray]]:
        """Some of the rows of the first axis after others, each piece with the number of its first row."""
        row = math.prod(self.shape[1:])
        some = max(1, LARGE // (row * self.dtype.itemsize))
        for first in range(0, self.shape[0], some):
            rows = min(some, self.shape[0] - first)
            at = self._begin + first * row * self.dtype.itemsize
            read = np.fromfile(self._path, self.dtype, rows * row, offset=at)
            yield first, read.reshape(rows, *self.shape[1:])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        """All of it in memory."""
        del copy
        whole = np.fromfile(self._path, self.dtype, math.prod(self.shape), offset=self._begin).reshape(self.shape)
        return whole if dtype is None else whole.astype(dtype)


class UnreadableError(Exception):
    """A file that is missing, cut short or something else; the message says which, without the file's name."""


def write_tensors(path: Path, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> str:
    """Write `arrays` to the new file `path`, without a copy of them in memory, and have the disk keep it.

    They are of NumPy, or give `pieces` as a `StoredArray` does.

    Written here and not by the library, which makes the file unreadable for others and hides why a disk refuses.

    Returns:
        The SHA-256 of the file, in hexadecimal.

    Raises:
        OSError: the disk is full or refuses.
        ScoutError: an array is of a type that the format has no name for.
    """
    # Large numbers first, so that all begin at a multiple of their size.
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    dense = {name: _dense(arrays[name]) for name in names}
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, array in dense.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": _type_of(name, array), "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    checksum = hashlib.sha256()
    with path.open("wb") as file:
        pieces = (raw_bytes(piece) for array in dense.values() for piece in _pieces(array))
        for piece in itertools.chain((len(text).to_bytes(8, "little"), text), pieces):
            file.write(piece)
            checksum.update(piece)
    return checksum.hexdigest()


def read_tensors(path: Path) -> dict[str, Any]:
    """All arrays in a file; those that are `LARGE` are left there, as `StoredArray`.

    Raises:
        UnreadableError: there is no such file, or it is not whole.
    """
    try:
        with safe_open(path, "np") as file, path.open("rb") as raw:
            length = int.from_bytes(raw.read(8), "little")
            header = json.loads(raw.read(length))
            names = set(file.keys())
            large = {name: _stored(path, 8 + length, header[name]) for name in names if _is_large(header[name])}
            return {name: large[name] if name in large else file.get_tensor(name) for name in names}
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


def _dense(array: Any) -> Any:
    return array if hasattr(array, "pieces") else np.asarray(array, order="C")


def _pieces(array: Any) -> Iterator[np.ndarray]:
    """The array, or the parts of one that is not in memory as a whole."""
    parts = [array] if isinstance(array, np.ndarray) else (piece for _, piece in array.pieces())
    return (np.asarray(part, order="C") for part in parts)


def _is_large(entry: Mapping[str, Any]) -> bool:
    begin, end = entry["data_offsets"]
    return end - begin > LARGE and len(entry["shape"]) > 0


def _stored(path: Path, data: int, entry: Mapping[str, Any]) -> StoredArray:
    name = next(name for name, short in _TYPES.items() if short == entry["dtype"])
    return StoredArray(path, data + entry["data_offsets"][0], np.dtype(name), tuple(entry["shape"]))


def raw_bytes(array: np.ndarray) -> memoryview:
    """The bytes of a dense array, to be read or written; no copy."""
    return memoryview(array.reshape(-1).view(np.uint8))  # pyright: ignore[reportArgumentType]


def _type_of(name: str, array: Any) -> str:
    if array.dtype.name not in _TYPES:
        raise ScoutError(f"{name} cannot be saved: there is no safetensors type for {array.dtype.name}.")
    return _TYPES[array.dtype.name]
