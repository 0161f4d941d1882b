"""Which Gymnasium spaces can be learnt from, and how: a reader for each, or one line that names a way out."""

from typing import Any, final

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

from scoutrl.errors import ScoutError
from scoutrl.pool.readers import Actions, Codes, Joined, Number, Numbers, Picture, Reader

SMALLEST = 20
"""Pixels from which on a side belongs to a picture; below it codes are meant, which say nothing as brightness."""
_CHANNELS = 16
"""The most channels, or frames in a stack, by which they are told from a side of a picture."""
_FEW = 64
"""Whole numbers of so few values are codes."""


def reader_for(space: Any, what: str, codes: int | None = None) -> Reader:
    """What reads observations or goals of a space.

    Args:
        space: any Gymnasium space.
        what: such as "the observation", for messages.
        codes: how many codes the cells of a small grid of uint8 take; None: what its space says.

    Raises:
        ScoutError: nothing does; says which wrapper would help.
    """
    match space:
        case Discrete():
            return Number(space)
        case MultiDiscrete():
            return Codes(space.shape, space.nvec, space.start)
        case MultiBinary():
            return Codes(space.shape, np.full(space.shape, 2))
        case Box():
            return _of_box(space, what, codes)
        case Dict():
            return _joined({key: reader_for(one, f"{what}[{key!r}]", codes) for key, one in space.items()}, what)
        case Tuple():
            return _joined({i: reader_for(one, f"{what}[{i}]", codes) for i, one in enumerate(space)}, what)
    raise ScoutError(
        f"{what} has a {type(space).__name__} space, which no encoder reads; leave it out of a Dict with "
        "gymnasium.wrappers.FilterObservation, or turn it into numbers with gymnasium.wrappers.TransformObservation."
    )


def actions_for(space: Any) -> Actions:
    """What turns an agent's actions into those of a space.

    Raises:
        ScoutError: no agent has such actions; says which wrapper would help.
    """
    match space:
        case Discrete():
            return Actions(space, Discrete(int(space.n)))
        case MultiDiscrete():
            return Actions(space, MultiDiscrete(np.ravel(space.nvec)))
        case MultiBinary():
            return Actions(space, MultiDiscrete(np.full(int(np.prod(space.shape)), 2)))
        case Box() if space.dtype.kind == "f" and np.isfinite(space.low).all() and np.isfinite(space.high).all():
            low, high = (np.ravel(x).astype(np.float32) for x in (space.low, space.high))
            return Actions(space, Box(low, high, dtype=np.float32))
        case Box():
            raise ScoutError(
                f"actions need finite bounds and real numbers; {space} has none: wrap the environment in "
                "gymnasium.wrappers.RescaleAction or a gymnasium.ActionWrapper of your own."
            )
    raise ScoutError(
        f"no agent has actions of a {type(space).__name__} space; make them Discrete, MultiDiscrete or Box with a "
        "gymnasium.ActionWrapper."
    )


def _joined(parts: dict[Any, Reader], what: str) -> Reader:
    if not parts:
        raise ScoutError(f"{what} has no parts: there is nothing to see.")
    if len(parts) == 1:
        return Joined(parts) if not isinstance(next(iter(parts.values())), Picture) else _Part(parts)
    for key, part in parts.items():
        if isinstance(part, Picture):
            raise ScoutError(
                f"{what} holds a picture, {key!r}, beside other things, which no encoder reads together; leave one of "
                f"them out with gymnasium.wrappers.FilterObservation(env, [{key!r}]), or draw the others into it."
            )
    return Joined(parts)


@final
class _Part(Reader):
    """The only part of a Dict or Tuple, a picture."""

    def __init__(self, parts: dict[Any, Reader]):
        ((self._key, self._part),) = parts.items()
        self.space = self._part.space

    def __call__(self, value: Any) -> np.ndarray:
        """The picture."""
        return self._part(value[self._key])


def _of_box(space: Box, what: str, codes: int | None) -> Reader:
    shape, kind = space.shape, space.dtype.kind
    if order := _picture_axes(space):
        if kind != "f":
            return Picture(shape, order)
        raise ScoutError(
            f"{what} is a picture of real numbers, {shape} from {space.low.min():g} to {space.high.max():g}; pictures "
            "are uint8 from 0 to 255: use gymnasium.wrappers.RescaleObservation(env, 0, 255), and then "
            "gymnasium.wrappers.DtypeObservation(env, numpy.uint8)."
        )
    if kind == "f" or not np.isfinite(space.low.astype(float)).all():
        return Numbers(space)
    spread = space.high.astype(np.int64) - space.low.astype(np.int64) + 1
    if space.dtype == np.uint8 and len(shape) > 1:
        return Codes(shape, np.minimum(spread, codes) if codes else spread, space.low)
    return Codes(shape, spread, space.low) if spread.max() <= _FEW and len(shape) else Numbers(space)


def _picture_axes(space: Box) -> tuple[int, ...]:
    """Axes of height, width and then channels where a Box holds pictures, else nothing."""
    shape: tuple[int, ...] = space.shape
    if space.dtype != np.uint8 and not (space.dtype.kind == "f" and len(shape) == 3):
        return ()
    if space.dtype == np.uint8 and (space.low.any() or (space.high != 255).any()):
        return ()
    match len(shape):
        case 2 if min(shape) >= SMALLEST:
            return (0, 1)
        case 3 if min(shape[:2]) >= SMALLEST and shape[2] <= _CHANNELS:
            return (0, 1, 2)
        case 3 if min(shape[1:]) >= SMALLEST and shape[0] <= _CHANNELS:
            return (1, 2, 0)
        case 4 if min(shape[1:3]) >= SMALLEST and shape[-1] <= _CHANNELS:  # a stack of pictures
            return (1, 2, 0, 3)
    return ()


def is_open_grid(space: Any) -> bool:
    """Whether a space is a grid of uint8, and no picture, that does not say how many codes there are."""
    grid = isinstance(space, Box) and space.dtype == np.uint8 and len(space.shape) > 1 and not _picture_axes(space)
    return grid and bool((space.high == 255).any())
