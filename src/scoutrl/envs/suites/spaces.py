"""Spaces of suites as Gymnasium's, and their elements as arrays; seen from attributes, whatever package they are of."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box

from scoutrl.envs.suites import readers
from scoutrl.envs.suites.readers import Reader, joined
from scoutrl.errors import ScoutError
from scoutrl.pool.spaces import SMALLEST

_FEW = 64
"""Whole numbers of so few values are codes."""


def of_space(space: Any, what: str, codes: int) -> Reader:
    """A reader of observations of a suite's own space.

    Args:
        space: one with the attributes of gymnax's, Gymnasium's, dm_env's or jumanji's spaces.
        what: what lies in it, for messages.
        codes: how many codes the cells of a grid take whose space does not say.

    Raises:
        ScoutError: there is no telling what lies in the space, or no encoder reads it.
    """
    parts = getattr(space, "spaces", None)
    if isinstance(parts, Mapping | Sequence) and parts:
        keys = list(parts) if isinstance(parts, Mapping) else range(len(parts))
        return joined({key: of_space(parts[key], f"{what}[{key!r}]", codes) for key in keys})
    count = next(
        (found for name in ("nvec", "n", "num_values") if (found := _attribute(space, name)) is not None), None
    )
    if count is not None:
        shape = getattr(space, "shape", None) or ()
        if np.ndim(count) == 0 and shape:  # as many numbers of so many values, but a MultiBinary counts its bits
            count = np.full(shape, 2 if type(space).__name__ == "MultiBinary" else int(count))
        sizes = np.asarray(count)
        start = np.asarray(getattr(space, "start", 0))
        return readers.number(int(sizes), int(start)) if sizes.ndim == 0 else readers.codes(sizes, start)
    shape, dtype = getattr(space, "shape", None), getattr(space, "dtype", None)
    if shape is None or dtype is None:
        raise ScoutError(
            f"{what} has a {type(space).__name__} space, which cannot be told from its attributes; say what agents see "
            "with observe=…, and with observation_space=…, a space of Gymnasium's, if its bounds matter."
        )
    low, high = (_bound(space, names) for names in (("low", "minimum"), ("high", "maximum")))
    if low is None or high is None:
        return of_array(jax.ShapeDtypeStruct(tuple(shape), np.dtype(dtype)), what, codes)
    low, high = (np.broadcast_to(bound, tuple(shape)) for bound in (low, high))
    return _bounded(low, high, np.dtype(dtype), what, codes)


def of_array(example: Any, what: str, codes: int) -> Reader:
    """A reader of arrays, or of dicts and tuples of them, of which no more than shape and type are known.

    Raises:
        ScoutError: no encoder reads them.
    """
    if isinstance(example, Mapping):
        return joined({key: of_array(one, f"{what}[{key!r}]", codes) for key, one in example.items()})
    if isinstance(example, tuple | list):
        return joined({i: of_array(one, f"{what}[{i}]", codes) for i, one in enumerate(example)})
    shape, dtype = getattr(example, "shape", None), np.dtype(getattr(example, "dtype", object))
    if shape is None or dtype.kind not in "biuf":
        raise ScoutError(f"{what} is a {type(example).__name__}; say what agents see of it with observe=….")
    if dtype.kind in "iu":
        top = 255 if _is_picture(shape) and dtype == np.uint8 else codes - 1
        return _bounded(np.zeros(shape), np.full(shape, top), dtype, what, codes)
    low, high = (0, 1) if dtype.kind == "b" else (-np.inf, np.inf)
    return _bounded(np.full(shape, low), np.full(shape, high), dtype, what, codes)


def actions_of(space: Any, what: str) -> Reader:
    """The space of an agent's actions, and what makes the suite's own of them.

    Raises:
        ScoutError: no agent has such actions.
    """
    reader = of_space(space, what, 0) if space is not None else None
    if reader is None or getattr(space, "spaces", None) is not None:
        raise ScoutError(f"{what} cannot be told; say it with action_space=…, a space of Gymnasium's.")
    shape = tuple(getattr(space, "shape", None) or ())
    dtype = np.dtype(jax.dtypes.canonicalize_dtype(getattr(space, "dtype", None) or np.int32))
    if isinstance(reader.space, Box):
        if dtype.kind != "f" or not (np.isfinite(reader.space.low).all() and np.isfinite(reader.space.high).all()):
            raise ScoutError(f"{what} needs finite bounds and real numbers; say them with action_space=….")
        return Reader(reader.space, lambda action: jnp.reshape(action, shape).astype(dtype))
    first = getattr(space, "start", _bound(space, ("low", "minimum")))
    start = np.asarray(0 if first is None else first).astype(np.int32)
    kind = dtype if dtype.kind in "iu" else np.dtype(np.int32)
    return Reader(reader.space, lambda action: (jnp.reshape(action, shape) + start).astype(kind))


def _bounded(low: np.ndarray, high: np.ndarray, dtype: np.dtype, what: str, codes: int) -> Reader:
    shape = low.shape
    if _is_picture(shape) and dtype.kind != "b":
        if dtype != np.uint8 or shape[2] != 3 or low.any() or (high != 255).any():
            raise ScoutError(
                f"{what} is a picture of shape {shape} and type {dtype}; pictures are uint8 [height, width, 3] from 0 "
                "to 255: make it one with observe=…, such as lambda seen: (255 * seen).astype(jax.numpy.uint8)."
            )
        return Reader(Box(0, 255, shape, np.uint8), jnp.asarray)
    if dtype.kind == "f" or not (np.isfinite(low.astype(float)).all() and np.isfinite(high.astype(float)).all()):
        return readers.numbers(low, high)
    spread = high.astype(np.int64) - low.astype(np.int64) + 1
    if dtype == np.uint8 and len(shape) > 1 and (spread > _FEW).any():
        spread = np.minimum(spread, codes)
    if spread.max(initial=0) > max(_FEW, codes):
        return readers.numbers(low, high)
    return readers.codes(spread, low) if shape else readers.number(int(spread), int(low))


def _is_picture(shape: Sequence[int]) -> bool:
    return len(shape) == 3 and min(shape[:2]) >= SMALLEST


def _attribute(space: Any, name: str) -> Any:
    found = getattr(space, name, None)
    return None if callable(found) else found


def _bound(space: Any, names: Sequence[str]) -> np.ndarray | None:
    found = next((found for name in names if (found := getattr(space, name, None)) is not None), None)
    return None if found is None else np.asarray(found)
