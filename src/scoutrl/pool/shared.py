"""Arrays that the parent process and its workers both see, in one piece of memory without a name.

The memory belongs to a file descriptor that is handed down, so that it is gone with the last process that holds it,
however that one ends.
"""

import dataclasses
import math
import mmap
import os
import tempfile

import numpy as np

_LINE = 64
"""Bytes at whose multiples arrays begin."""


@dataclasses.dataclass(frozen=True)
class Field:
    """One of the arrays."""

    name: str
    """What it is called."""
    shape: tuple[int, ...]
    """Its shape."""
    dtype: str
    """Its type, as NumPy writes it."""

    @property
    def size(self) -> int:
        """Bytes it takes, with what is left free behind it."""
        return -(-math.prod(self.shape) * np.dtype(self.dtype).itemsize // _LINE) * _LINE


def new_memory(fields: tuple[Field, ...]) -> int:
    """A file descriptor of memory for the fields, all zero. Whoever has it closes it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("scoutrl")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, max(sum(field.size for field in fields), _LINE))
    return descriptor


def arrays_in(descriptor: int, fields: tuple[Field, ...]) -> dict[str, np.ndarray]:
    """The fields by name, as arrays in that memory."""
    memory = mmap.mmap(descriptor, 0)
    found, place = {}, 0
    for field in fields:
        count = math.prod(field.shape)
        found[field.name] = np.frombuffer(memory, field.dtype, count, place).reshape(field.shape)
        place += field.size
    return found
