"""Pure functions from elements of a suite's space to arrays that agents know, each with the space of these."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True, eq=False)
class Reader:
    """From an element of a suite's space to an array of a space that agents know, or back from an action."""

    space: gymnasium.Space
    """Discrete, MultiDiscrete, a Box of float32 vectors, or a Box of uint8 images [height, width, 3]."""
    read: Callable[[Any], Any]
    """A pure function."""


def numbers(low: np.ndarray, high: np.ndarray) -> Reader:
    """Real numbers of any shape, as a vector. Bounds that float32 cannot hold are infinite."""
    most = np.finfo(np.float32).max
    low, high = (np.ravel(bound).astype(np.float64) for bound in (low, high))
    low, high = np.where(low <= -most, -np.inf, low), np.where(high >= most, np.inf, high)
    space = Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
    return Reader(space, lambda value: jnp.ravel(value).astype(jnp.float32))


def number(count: int, start: int) -> Reader:
    """One of `count` whole numbers from `start` on."""
    return Reader(Discrete(count), lambda value: jnp.asarray(value, jnp.int32) - start)


def codes(sizes: np.ndarray, start: np.ndarray) -> Reader:
    """Numbers without order, of as many values each as `sizes` says, from `start` on; flat."""
    first = np.ravel(np.broadcast_to(start, sizes.shape)).astype(np.int32)
    return Reader(
        MultiDiscrete(np.ravel(sizes).astype(np.int64)), lambda value: jnp.ravel(value).astype(jnp.int32) - first
    )


def joined(parts: Mapping[Any, Reader]) -> Reader:
    """Parts side by side: codes if all of them are, else a vector in which codes are one-hot.

    Raises:
        ScoutError: one of several is a picture.
    """
    if len(parts) == 1:
        ((key, part),) = parts.items()
        return Reader(part.space, lambda value: part.read(_part(value, key)))
    spaces = {key: part.space for key, part in parts.items()}
    for key, space in spaces.items():
        if len(space.shape or ()) > 1:
            raise ScoutError(f"{key!r} is a picture beside other things, which no encoder reads; say observe=….")
    sizes = [_sizes(space) for space in spaces.values()]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes):

        def read_codes(value: Any) -> jax.Array:
            return jnp.concatenate([jnp.ravel(part.read(_part(value, key))) for key, part in parts.items()])

        return Reader(MultiDiscrete(np.concatenate(known)), read_codes)

    def read(value: Any) -> jax.Array:
        found = [(part.read(_part(value, key)), size) for (key, part), size in zip(parts.items(), sizes, strict=True)]
        return jnp.concatenate([one if size is None else _one_hot(one, size) for one, size in found])

    bounds = [_vector_bounds(space, size) for space, size in zip(spaces.values(), sizes, strict=True)]
    low, high = (np.concatenate(side).astype(np.float32) for side in zip(*bounds, strict=True))
    return Reader(Box(low, high, dtype=np.float32), read)


def _one_hot(values: jax.Array, sizes: np.ndarray) -> jax.Array:
    """Codes [k] as a vector [sum(sizes)] of 0 and 1."""
    owner = np.repeat(np.arange(sizes.size), sizes)
    code = np.arange(owner.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return (jnp.ravel(values)[owner] == code).astype(jnp.float32)


def _sizes(space: Any) -> np.ndarray | None:
    """How many values each number takes; None where they are no codes."""
    if isinstance(space, Discrete):
        return np.array([space.n])
    return np.asarray(space.nvec) if isinstance(space, MultiDiscrete) else None


def _vector_bounds(space: Any, sizes: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    return (space.low, space.high) if sizes is None else (np.zeros(sizes.sum()), np.ones(sizes.sum()))


def _part(value: Any, key: Any) -> Any:
    return getattr(value, key) if isinstance(key, str) and hasattr(value, key) else value[key]
