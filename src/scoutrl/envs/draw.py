"""Pictures of grids in pure JAX: shapes with smooth edges on a canvas of floats, y upwards.

Positions are cells (x, y) and sizes parts of a cell. A canvas is [height, width, 3], colours in 0 … 1.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

Colour = np.ndarray | Float[Array, "3"]
"""Red, green and blue in 0 … 1."""
Spot = np.ndarray | Int[Array, "2"] | Float[Array, "2"]
"""A cell (x, y), or a place between cells."""


def _colour(code: str) -> np.ndarray:
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255


PAPER, RULE, INK, WHITE = _colour("f7f5f0"), _colour("dedad0"), _colour("3a3f4b"), _colour("ffffff")
RED, GREEN, BLUE, GOLD = _colour("d64545"), _colour("3fa564"), _colour("3d6fd1"), _colour("e8b12e")
LINES = (BLUE, _colour("c354c0"), GOLD, _colour("2fb3b8"), _colour("b3ab94"))
"""The colours of four bus lines, and the one of all the useless lines."""
FOODS = np.stack([BLUE, GREEN, _colour("8a5cc2"), GOLD, PAPER])
"""The colours of four ingredients, and the one of an empty place."""


class Canvas(eqx.Module):
    """A picture being drawn."""

    pixels: Float[Array, "height width 3"]
    rows: int = eqx.field(static=True)
    """Rows of cells."""
    cell: int = eqx.field(static=True)
    """Pixels a cell."""


def board(columns: int, rows: int, cell: int, below: int) -> Canvas:
    """An empty grid, with a margin of `below` pixels under it; the height is even if `cell` and `below` are."""
    height, width = rows * cell, columns * cell
    pixels = np.broadcast_to(PAPER, (height + below, width, 3)).copy()
    pixels[:height:cell] = pixels[cell - 1 : height : cell] = RULE
    pixels[:height, ::cell] = pixels[:height, cell - 1 :: cell] = RULE
    return Canvas(jnp.asarray(pixels), rows, cell)


def middle(position: Spot, rows: int, cell: int) -> Float[Array, "2"]:
    """Column and row, in pixels, of the middle of a cell in a grid of so many rows."""
    x, y = jnp.asarray(position, jnp.float32)
    return cell * jnp.stack([x + 0.5, rows - 0.5 - y])


def square(canvas: Canvas, position: Spot, half: float, colour: Colour) -> Canvas:
    """A filled square with round corners."""
    x, y = _offsets(canvas, position)
    outside = jnp.hypot(jnp.maximum(abs(x) - half * 0.7, 0), jnp.maximum(abs(y) - half * 0.7, 0))
    return _fill(canvas, outside - half * 0.3, colour)


def disc(canvas: Canvas, position: Spot, radius: float, colour: Colour) -> Canvas:
    """A filled circle; its position may lie between cells and below the grid."""
    return _fill(canvas, jnp.hypot(*_offsets(canvas, position)) - radius, colour)


def ring(canvas: Canvas, position: Spot, radius: float, colour: Colour) -> Canvas:
    """A thick circle, empty inside."""
    distance = jnp.hypot(*_offsets(canvas, position))
    return _fill(canvas, abs(distance - radius * 0.78) - radius * 0.22, colour)


UPWARDS = np.array((0, 1), np.float32)
"""A direction."""


def arc(
    canvas: Canvas,
    centre: Spot,
    radius: float,
    width: float,
    colour: Colour,
    direction: Spot = UPWARDS,
    half: float = math.pi / 2,
) -> Canvas:
    """The part of a circle that lies within the angle `half` of a direction (a unit vector), `width` cells wide."""
    x, y = _offsets(canvas, centre)
    far, way = jnp.hypot(x, y), jnp.asarray(direction, jnp.float32)
    off = jnp.arccos(jnp.clip((x * way[0] + y * way[1]) / jnp.maximum(far, 1e-6), -1, 1)) - half
    return _fill(canvas, jnp.maximum(abs(far - radius) - width / 2, off * radius), colour)


def agent(canvas: Canvas, position: Spot) -> Canvas:
    """The agent: a red disc with a white rim, so that it stands out from what it stands on."""
    return disc(disc(canvas, position, 0.27, WHITE), position, 0.2, RED)


def flag(canvas: Canvas, position: Spot) -> Canvas:
    """The goal: its whole cell in green, with a white diamond."""
    canvas = square(canvas, position, 0.46, GREEN)
    x, y = _offsets(canvas, position)
    return _fill(canvas, abs(x) + abs(y) - 0.26, WHITE)


def scroll(canvas: Canvas, position: Spot) -> Canvas:
    """A map: a dark sheet with three lines of writing."""
    canvas = square(canvas, position, 0.36, INK)
    x, y = _offsets(canvas, position)
    return _fill(canvas, jnp.maximum(abs(x) - 0.22, abs(abs(abs(y) - 0.1) - 0.1) - 0.035), WHITE)


def cupboard(canvas: Canvas, position: Spot, colour: Colour) -> Canvas:
    """A drawer: a dark frame around the colour of what it holds."""
    return square(square(canvas, position, 0.42, INK), position, 0.36, colour)


def plate(canvas: Canvas, position: Spot) -> Canvas:
    """The bowl: two rims."""
    return ring(ring(canvas, position, 0.42, INK), position, 0.32, RULE)


def food(ingredient: Int[Array, ""]) -> Float[Array, "3"]:
    """The colour of an ingredient; the number of ingredients means none."""
    return jnp.asarray(FOODS)[ingredient]


def shelf(canvas: Canvas, row: int, colours: list[Float[Array, "3"]]) -> Canvas:
    """Discs in a row below the grid: row 0 on the left, 1 in the middle, 2 on the right."""
    for place, colour in enumerate(colours):
        spot = np.array((-0.28 + row * 1.04 + 0.28 * place, -0.9), np.float32)
        canvas = disc(disc(canvas, spot, 0.12, INK), spot, 0.095, colour)
    return canvas


def finish(canvas: Canvas, elapsed: Float[Array, ""]) -> UInt8[Array, "height width 3"]:
    """The picture, with the part 0 … 1 of the time that has elapsed as a bar along its lower edge."""
    height, width = canvas.pixels.shape[:2]
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[:, None]
    colour = jnp.where(columns < elapsed * width, INK, RULE)
    return (jnp.where(rows >= height - 4, colour, canvas.pixels) * 255).round().astype(jnp.uint8)


def symbol(shape: Callable[..., Canvas], *arguments: Any, cell: int = 24) -> UInt8[np.ndarray, "cell cell 3"]:
    """One cell with one shape in it, for legends; `shape` takes a canvas, a cell and `arguments`."""
    canvas = shape(board(1, 1, cell, below=0), np.zeros(2, np.int32), *arguments)
    return np.asarray((canvas.pixels * 255).round().astype(jnp.uint8))


def time_bar(width: int = 24) -> UInt8[np.ndarray, "cell cell 3"]:
    """A piece of the bar of `finish`, half full, for legends."""
    return np.asarray(finish(board(1, 1, width, below=0), jnp.float32(0.5)))


def _offsets(canvas: Canvas, position: Spot) -> tuple[Float[Array, "1 width"], Float[Array, "height 1"]]:
    """How far right and up of the position each pixel lies, in cells."""
    height, width = canvas.pixels.shape[:2]
    x = (np.arange(width, dtype=np.float32) + 0.5) / canvas.cell - 0.5
    y = canvas.rows - 0.5 - (np.arange(height, dtype=np.float32) + 0.5) / canvas.cell
    spot = jnp.asarray(position, jnp.float32)
    return jnp.asarray(x)[None, :] - spot[0], jnp.asarray(y)[:, None] - spot[1]


def _fill(canvas: Canvas, distance: Float[Array, "height width"], colour: Colour) -> Canvas:
    """Paint where the signed distance (in cells) is negative, blending over one pixel at the edge."""
    cover = jnp.clip(0.5 - distance * canvas.cell, 0, 1)[..., None]
    return Canvas(canvas.pixels * (1 - cover) + cover * jnp.asarray(colour)[None, None], canvas.rows, canvas.cell)
