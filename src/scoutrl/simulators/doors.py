"""Three doors and a ball in MiniGrid (Chevalier-Boisvert et al. 2023), as a Gymnasium environment."""

from collections.abc import Mapping
from typing import Any, final

import gymnasium
from gymnasium.spaces import Discrete
from gymnasium.wrappers import FilterObservation
from minigrid.core.grid import Grid  # pyright: ignore[reportMissingImports]
from minigrid.core.mission import MissionSpace  # pyright: ignore[reportMissingImports]
from minigrid.core.world_object import Ball, Door, Wall  # pyright: ignore[reportMissingImports]
from minigrid.minigrid_env import MiniGridEnv  # pyright: ignore[reportMissingImports]

COLOURS = ("red", "green", "blue")
DOORS = {"up": (3, 0), "left": (0, 3), "down": (3, 6)}
"""Where the doors of the room are."""
_OPEN = 3
"""The action that opens a door; those before it turn left, turn right, and go ahead."""


@final
class Doors(MiniGridEnv):
    """A room with a door in three of its walls, each of another colour, and a chamber with a ball beside it.

    The right door is that of the ball's colour. Opening it pays 1, opening another -1, and either ends the episode. The
    ball is seen from two cells right of where episodes begin, looking on.
    """

    def __init__(self, ball: str, up: str, left: str, down: str, render_mode: str | None = None):
        """Make it; the arguments are colours."""
        self.ball, self.doors = ball, {"up": up, "left": left, "down": down}
        size: dict[str, Any] = {"width": 11, "height": 7, "agent_view_size": 5, "max_steps": 1 << 30}
        super().__init__(MissionSpace(lambda: "open the door of the ball's colour"), render_mode=render_mode, **size)
        self.action_space = Discrete(4)

    def _gen_grid(self, width: int, height: int) -> None:
        self.grid = Grid(width, height)
        self.grid.wall_rect(0, 0, width, height)
        for y in range(1, height - 2):  # the last cell of the wall between room and chamber is open
            self.grid.set(6, y, Wall())
        for name, place in DOORS.items():
            self.grid.set(*place, Door(self.doors[name]))
        self.grid.set(9, 1, Ball(self.ball))
        self.agent_pos, self.agent_dir = (3, 3), self._rand_int(0, 4)
        self.mission = "open the door of the ball's colour"

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        """One step; nothing here ends an episode because of time."""
        seen, _, _, _, info = super().step(self.actions.toggle if action == _OPEN else action)
        ahead = self.grid.get(*self.front_pos)
        if action != _OPEN or not isinstance(ahead, Door):
            return seen, 0.0, False, False, info
        return seen, 1.0 if ahead.color == self.ball else -1.0, True, False, info


def make_doors(problem: Mapping[str, Any], render_mode: str | None = None) -> gymnasium.Env:
    """The environment of a problem, of which `ball`, `up`, `left` and `down` are numbers of colours.

    It shows the 5x5 cells ahead of the agent, and which way that looks; not the mission, which is a text.
    """
    colours = {name: COLOURS[int(number)] for name, number in problem.items()}
    return FilterObservation(Doors(**colours, render_mode=render_mode), ["direction", "image"])
