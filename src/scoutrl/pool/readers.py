"""From an element of any Gymnasium space to one array that agents can read, and from an agent's action back."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete


class Reader(abc.ABC):
    """Turns elements of a user's space into arrays of `space`."""

    space: Any
    """Discrete, MultiDiscrete, a Box of float32 vectors, or a Box of uint8 images [height, width, channels]."""

    @abc.abstractmethod
    def __call__(self, value: Any) -> np.ndarray:
        """One element, as an array of the shape and type of `space` (int32 where it is no Box).

        Raises:
            ValueError: it is none; says what is wrong.
        """

    @property
    def codes(self) -> tuple[int, ...] | None:
        """How many values each of its numbers takes; None where they are no codes."""
        if isinstance(self.space, Discrete):
            return (int(self.space.n),)
        return tuple(self.space.nvec.tolist()) if isinstance(self.space, MultiDiscrete) else None


@final
class Number(Reader):
    """A Discrete space, counted from 0."""

    def __init__(self, space: Discrete):
        self.space, self._start = Discrete(int(space.n)), int(space.start)

    def __call__(self, value: Any) -> np.ndarray:
        """The number."""
        if type(value) is int or isinstance(value, np.integer):  # the usual case, quickly
            return np.array(int(value) - self._start, np.int32)
        return np.asarray(_shaped(value, ()) - self._start, np.int32)


@final
class Codes(Reader):
    """Numbers without order, side by side: MultiDiscrete, MultiBinary, or a grid that says what lies in each cell."""

    def __init__(self, shape: Sequence[int], sizes: np.ndarray, start: np.ndarray | int = 0):
        """Read arrays of `shape`, whose numbers count from `start` and take `sizes` [flat] values."""
        self._shape, self._start = tuple(shape), np.ravel(start).astype(np.int64)
        self._sizes = np.ravel(sizes).astype(np.int64)
        self.space = MultiDiscrete(self._sizes)

    def __call__(self, value: Any) -> np.ndarray:
        """The numbers, flat."""
        flat = _shaped(value, self._shape).reshape(-1).astype(np.int64) - self._start
        if (flat >= self._sizes).any():
            worst = int((flat + self._start).max())
            raise ValueError(
                f"an observation holds the code {worst}, which is more than its space or codes=… admits; give "
                f"from_gymnasium(…, codes={worst + 1})"
            )
        return flat.astype(np.int32)


@final
class Numbers(Reader):
    """Real numbers of any shape, as a vector."""

    def __init__(self, space: Box):
        info = np.finfo(np.float32)
        low, high = (np.clip(np.ravel(x).astype(np.float64), info.min, info.max) for x in (space.low, space.high))
        low, high = (
            np.where(np.isneginf(np.ravel(space.low)), -np.inf, low),
            np.where(np.isposinf(np.ravel(space.high)), np.inf, high),
        )
        self._shape = space.shape
        self.space = Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)

    def __call__(self, value: Any) -> np.ndarray:
        """The numbers, flat."""
        return _shaped(value, self._shape).reshape(-1).astype(np.float32)


@final
class Picture(Reader):
    """A picture, or several of them, whose axes are put in the order height, width, channels."""

    def __init__(self, shape: tuple[int, ...], order: tuple[int, ...]):
        """Read arrays of `shape`; `order` says which axes are height, width, and then channels."""
        self._shape, self._order = shape, order
        height, width = shape[order[0]], shape[order[1]]
        self._size = height, width, int(np.prod(shape)) // (height * width)
        self.space = Box(0, 255, self._size, np.uint8)

    def __call__(self, value: Any) -> np.ndarray:
        """The picture."""
        return _shaped(value, self._shape).transpose(self._order).reshape(self._size).astype(np.uint8)


@final
class Joined(Reader):
    """The parts of a Dict or Tuple side by side: codes if all of them are, else a vector in which codes are one-hot."""

    def __init__(self, parts: Mapping[Any, Reader]):
        """Read the parts by their keys, in this order; none of them is a picture."""
        self._parts = dict(parts)
        codes = [part.codes for part in parts.values()]
        self._numbers = any(one is None for one in codes)
        if not self._numbers:
            self.space = MultiDiscrete(np.array([size for one in codes for size in one or ()]))
            return
        bounds = [(np.zeros(sum(one)), np.ones(sum(one))) if one else None for one in codes]
        pairs = [pair or (part.space.low, part.space.high) for pair, part in zip(bounds, parts.values(), strict=True)]
        low, high = (np.concatenate(side).astype(np.float32) for side in zip(*pairs, strict=True))
        self.space = Box(low, high, dtype=np.float32)

    def __call__(self, value: Any) -> np.ndarray:
        """The parts, each flat."""
        read = [(part, part(value[key])) for key, part in self._parts.items()]
        if not self._numbers:
            return np.concatenate([np.ravel(array) for _, array in read])
        return np.concatenate([_one_hot(array, part.codes) if part.codes else array for part, array in read])


@final
class Actions:
    """From an agent's action, an array of `space`, to what the environment takes."""

    def __init__(self, theirs: gymnasium.Space, space: Any):
        """Give elements of `theirs`, a space of numbers, for the actions of `space`."""
        self.space, self._shape = space, theirs.shape or ()
        self._dtype = theirs.dtype or np.dtype(np.int64)
        self._start = getattr(theirs, "start", 0)

    def __call__(self, action: np.ndarray) -> Any:
        """The action; a NumPy integer where actions are numbered."""
        if isinstance(self.space, Discrete):
            return np.int64(action) + self._start
        return (np.asarray(action).reshape(self._shape) + self._start).astype(self._dtype)


def _one_hot(values: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
    hits = np.zeros(sum(sizes), np.float32)
    hits[starts + np.ravel(values)] = 1
    return hits


def _shaped(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(value)
    if array.shape != shape or array.dtype.kind not in "biuf":
        raise ValueError(f"an array of shape {shape} was expected; it has shape {array.shape} and type {array.dtype}")
    return array
