"""How much of each pixel of a cell the things of XLand-MiniGrid cover."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

CELL = 24
"""Pixels of a side."""
_FINE = 4
"""Points of a side that a pixel is judged by."""
_Shape = Callable[[np.ndarray, np.ndarray], Bool[np.ndarray, "fine fine"]]
"""Which points x to the right and y downwards, -0.5 … 0.5 from the middle, are covered."""


def _box(left: float, right: float, top: float, bottom: float) -> _Shape:
    return lambda x, y: (left <= x) & (x < right) & (top <= y) & (y < bottom)


def _disc(radius: float) -> _Shape:
    return lambda x, y: np.hypot(x, y) < radius


def _triangle(half: float, top: float, bottom: float) -> _Shape:
    """With its tip at the top; below it, if the top lies lower than the bottom."""
    return lambda x, y: (abs(x) < half * (y - top) / (bottom - top)) & ((y < bottom) == (top < bottom))


def _either(*shapes: _Shape) -> _Shape:
    return lambda x, y: np.any([shape(x, y) for shape in shapes], axis=0)


def _without(shape: _Shape, hole: _Shape) -> _Shape:
    return lambda x, y: shape(x, y) & ~hole(x, y)


def _moved(shape: _Shape, right: float, down: float) -> _Shape:
    return lambda x, y: shape(x - right, y - down)


_WHOLE, _DOOR = _box(-1, 1, -1, 1), _box(-0.42, 0.42, -0.42, 0.42)
_FRAME = _without(_DOOR, _box(-0.3, 0.3, -0.3, 0.3))
_BOW = _moved(_without(_disc(0.18), _disc(0.07)), 0, -0.2)
_TEETH = _either(_box(-0.05, 0.05, -0.05, 0.38), _box(0, 0.17, 0.12, 0.2), _box(0, 0.17, 0.28, 0.36))
_SHAPES: dict[str, _Shape] = {
    "wall": _WHOLE,
    "ball": _disc(0.32),
    "square": _box(-0.27, 0.27, -0.27, 0.27),
    "pyramid": _triangle(0.36, -0.34, 0.3),
    "tile": _DOOR,
    "key": _either(_BOW, _TEETH),
    "locked door": _either(_FRAME, _disc(0.12)),
    "closed door": _either(_FRAME, _box(0.1, 0.2, -0.1, 0.1)),
    "open door": _box(0.3, 0.42, -0.42, 0.42),
    "hexagon": lambda x, y: (abs(x) < 0.33) & (abs(x) / np.sqrt(3) + abs(y) < 0.38),
    "star": _either(_triangle(0.34, -0.38, 0.2), _triangle(0.34, 0.38, -0.2)),
}
"""Nothing and floor cover nothing."""


def covers(name: str, grown: float = 1.0) -> Float[np.ndarray, "cell cell"]:
    """How much of each pixel a thing covers that is `grown` times as large, 0 … 1."""
    shape = _SHAPES.get(name)
    if shape is None:
        return np.zeros((CELL, CELL), np.float32)
    return _sampled(lambda x, y: shape(x / grown, y / grown))


def arrow(turn: int) -> Float[np.ndarray, "cell cell 1"]:
    """The same of the agent, which looks up and has been turned to the right so many times."""
    return np.rot90(_sampled(_triangle(0.28, -0.36, 0.32)), -turn)[..., None]


def _sampled(shape: _Shape) -> Float[np.ndarray, "cell cell"]:
    points = (np.arange(CELL * _FINE, dtype=np.float32) + 0.5) / (CELL * _FINE) - 0.5
    covered = shape(*np.meshgrid(points, points))
    return covered.reshape(CELL, _FINE, CELL, _FINE).mean(axis=(1, 3)).astype(np.float32)
