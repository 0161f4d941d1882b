"""The grid from above: things in their colours, the agent with what it carries, and the cells that it sees."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from scoutrl.envs.describe import Description, Symbol
from scoutrl.envs.draw import INK, PAPER, RED, RULE, WHITE
from scoutrl.envs.xland.codes import ACTIONS, COLOURS, TILES, condition, consequence
from scoutrl.envs.xland.shapes import CELL, arrow, covers

_PALETTE = "f7f5f0 d64545 3fa564 3d6fd1 8a5cc2 f2d13a 8b8f99 3a3f4b ef8a2c ffffff 8a5a34 ee6fb5"
_BAR = 4
"""Pixels of the bar that shows the time used."""
_SEEN = 0.6
"""How much of their colour cells keep that the agent does not see."""


def _rgb() -> Float[np.ndarray, "12 3"]:
    return np.array([[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in _PALETTE.split()], np.float32) / 255


@cache
def _atlas() -> tuple[Float[np.ndarray, "13 12 cell cell 3"], Float[np.ndarray, "4 cell cell 1"]]:
    """A picture of each tile in each colour, and how much of each pixel the agent covers, by where it looks."""
    paper = np.broadcast_to(PAPER, (CELL, CELL, 3)).copy()
    paper[[0, -1]] = paper[:, [0, -1]] = RULE
    edge, body = (np.stack([covers(tile, grown) for tile in TILES])[:, None, ..., None] for grown in (1.15, 1.0))
    drawn = paper * (1 - edge) + INK * edge
    return drawn * (1 - body) + _rgb()[None, :, None, None] * body, np.stack([arrow(turn) for turn in range(4)])


def drawer(most: int, view: int) -> Callable[[Any], UInt8[Array, "height width 3"]]:
    """What draws a TimeStep of XLand-MiniGrid.

    Args:
        most: steps of an episode.
        view: cells of a side of the square that the agent sees.
    """

    def draw(timestep: Any) -> UInt8[Array, "height width 3"]:
        tiles, arrows = map(jnp.asarray, _atlas())
        state, agent = timestep.state, timestep.state.agent
        row, column = agent.position
        cells = tiles[state.grid[..., 0], state.grid[..., 1]]
        shown = jnp.where(_sight(state.grid.shape[:2], agent, view), 1.0, _SEEN)
        cells = 1 - (1 - cells) * shown[..., None, None, None]
        cover = arrows[agent.direction]
        cells = cells.at[row, column].set(cells[row, column] * (1 - cover) + cover * RED[None, None])
        rows, columns = state.grid.shape[:2]
        above = cells.transpose(0, 2, 1, 3, 4).reshape(rows * CELL, columns * CELL, 3)
        below = jnp.broadcast_to(WHITE, (CELL, columns * CELL, 3))
        below = below.at[:, :CELL].set(tiles[agent.pocket[0], agent.pocket[1]])
        used = (np.arange(columns * CELL) < columns * CELL * (state.step_num / most))[None, :, None]
        bar = jnp.broadcast_to(jnp.where(used, INK, RULE), (_BAR, columns * CELL, 3))
        return (jnp.concatenate([above, below.at[-_BAR:].set(bar)]) * 255).round().astype(jnp.uint8)

    return draw


def place(timestep: Any) -> Float[Array, "2"]:
    """Column and row, in pixels, of the agent."""
    return CELL * (timestep.state.agent.position[::-1] + np.float32(0.5))


def _sight(shape: tuple[int, int], agent: Any, view: int) -> Array:
    """Which cells the agent sees: a square ahead of it, with the agent in the middle of its near side."""
    rows, columns = (jnp.asarray(axis) - agent.position[i] for i, axis in enumerate(np.indices(shape)))
    ahead = jnp.stack([-rows, columns, rows, -columns])[agent.direction]
    across = jnp.stack([columns, rows, columns, rows])[agent.direction]
    return (ahead >= 0) & (ahead < view) & (abs(across) <= view // 2)


def description(names: Sequence[str]) -> Description:
    """XLand's rule sets in words, of IDs whose components have these names."""

    def numbers(problem: np.ndarray, name: str, count: int) -> list[int]:
        known = dict(zip(names, np.asarray(problem).tolist(), strict=True))
        return [known.get(f"{name}[{j}]", 0) for j in range(count)]

    def words(problem: np.ndarray) -> str:
        places = sorted({int(name[5:].partition("[")[0]) for name in names if name.startswith("rule")})
        rules = [numbers(problem, f"rule {place}", 7) for place in places]
        said = [condition(numbers(problem, "goal", 5)), *(consequence(rule) for rule in rules if rule[0])]
        return "; ".join(said)

    tiles, arrows = _atlas()
    looking = tiles[1, 7] * (1 - arrows[1]) + RED * arrows[1]
    kinds = [tile for tile, name in enumerate(TILES) if name not in ("nothing", "floor")]
    # A wall is grey; of the other kinds a green one stands for all colours.
    examples = [(f"a {TILES[tile]}", tiles[tile, COLOURS.index("grey" if tile == 2 else "green")]) for tile in kinds]
    pictures = [("the agent, and where it looks", looking), *examples, ("below: what it carries", tiles[0, 0])]
    legend = [Symbol(meaning, np.asarray((pixels * 255).round(), np.uint8)) for meaning, pixels in pictures]
    return Description(ACTIONS, legend, problem=words)
