"""Gymnasium spaces: which ones are images, and values from outside checked against them."""

from typing import Any

import gymnasium
import numpy as np

from scoutrl.errors import ScoutError

_ROOM = np.float32(1e-5)
"""How far a real number may exceed a bound by rounding, relative to 1 + its size."""


def is_image(space: gymnasium.Space) -> bool:
    """Whether elements of `space` are images [height, width, channels] of uint8."""
    return space.dtype == np.uint8 and len(space.shape or ()) == 3


def fit_space(value: Any, space: gymnasium.Space, name: str) -> np.ndarray:
    """`value` as an array of the space's shape, of int32, float32 or uint8.

    Raises:
        ScoutError: another shape, no numbers, or numbers outside the space; says which `name` it is.
    """
    try:
        array = np.asarray(value)
        shaped = array.shape == tuple(space.shape or ()) and array.dtype.kind in "biuf"
    except ValueError:  # lists of unequal lengths
        array, shaped = np.empty(0, object), False
    if not shaped:
        raise ScoutError(f"the {name} must be {_described(space)}; it has shape {array.shape} and type {array.dtype}.")
    low, high = limits(space)
    if not np.isfinite(array).all() or (array < low).any() or (array > high).any():
        raise ScoutError(f"the {name} must be {_described(space)}; it is {_shortened(array)}.")
    if not isinstance(space, gymnasium.spaces.Box) or space.dtype.kind in "bi":
        if (array != np.floor(array)).any():
            raise ScoutError(f"the {name} must be {_described(space)}; it is {_shortened(array)}.")
        return array.astype(np.int32)
    return array.astype(np.uint8 if space.dtype == np.uint8 else np.float32)


def limits(space: gymnasium.Space) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest value admitted, with some room for rounding in spaces of floats.

    The spaces are Discrete, MultiDiscrete and Box.
    """
    if isinstance(space, gymnasium.spaces.Discrete):
        return np.asarray(space.start), np.asarray(space.start + space.n - 1)
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return np.asarray(space.start), np.asarray(space.start + space.nvec - 1)
    assert isinstance(space, gymnasium.spaces.Box)
    low, high = space.low, space.high
    if space.dtype.kind == "f":
        with np.errstate(over="ignore"):  # the largest float and some room is infinite
            low, high = low - _ROOM * (1 + np.abs(low)), high + _ROOM * (1 + np.abs(high))
    return low, high


def _described(space: gymnasium.Space) -> str:
    if isinstance(space, gymnasium.spaces.Discrete):
        return f"a whole number from {space.start} to {space.start + space.n - 1}"
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return f"{space.shape[0]} whole numbers, component i from 0 below {space.nvec.tolist()}[i]"
    assert isinstance(space, gymnasium.spaces.Box)
    return f"numbers of shape {space.shape} between {space.low.min():g} and {space.high.max():g}"


def _shortened(array: np.ndarray) -> str:
    text = " ".join(np.array2string(array, threshold=8, edgeitems=3).split())
    return text if len(text) < 80 else text[:77] + "..."
