"""The sign's world in the real Miniworld (Chevalier-Boisvert et al. 2023), as a Gymnasium environment.

OpenGL keeps what never moves, the word on the sign too, in one list for all worlds of a process. So there is one world
for each word, shared by all environments of a process, and it is put into the pose of one when that is stepped.
"""

import functools
import os
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

Corners = tuple[tuple[float, float], tuple[float, float]]
"""Two opposite corners (x, z) of the area where episodes start."""


@final
class SignWorld(gymnasium.Env):
    """One episode after another before a sign that says one word; nothing here ends an episode because of time."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 3}  # noqa: RUF012 (as Gymnasium wants it)

    def __init__(self, colour: int, start: Corners, height: int, width: int, render_mode: str | None = None):
        """Make it.

        Args:
            colour: what the sign says, 0 blue, 1 red, 2 green.
            start: where episodes start.
            height: rows of the image.
            width: columns of the image.
            render_mode: "rgb_array" or None.
        """
        self.observation_space = Box(0, 255, (height, width, 3), np.uint8)
        self.action_space = Discrete(4)
        self.render_mode = render_mode
        self.colour = colour
        self.pose = np.zeros(9)
        """x, z and heading of the agent, then the headings of boxes and keys."""
        self.goal = 0
        """0 for the box, 1 for the key."""
        self.steps = 0
        """Steps of the episode so far."""
        self._start, self._size = start, (height, width)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Draw pose and goal; the goal is `info["goal"]`."""
        super().reset(seed=seed)
        place = self.np_random.uniform(*self._start)
        self.pose = np.concatenate([place, self.np_random.uniform(-np.pi, np.pi, 7)])
        self.goal, self.steps = int(self.np_random.integers(2)), 0
        return self.render(), {"goal": self.goal}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Miniworld takes the step."""
        world = _placed(self._size, self.pose, self.colour)
        world._goal = self.goal
        seen, reward, ended, _, _ = world.step(int(action))
        self.pose[:3] = world.agent.pos[0], world.agent.pos[2], world.agent.dir
        self.steps += 1
        return np.array(seen["obs"]), float(reward), bool(ended), False, {}

    def render(self) -> np.ndarray:
        """What the agent sees, uint8 [height, width, 3]."""
        return np.array(_placed(self._size, self.pose, self.colour).render_obs())


class MakeSign:
    """Makes the environment of a problem."""

    def __init__(self, start: Corners, height: int, width: int):
        """Make all with these arguments of `SignWorld`."""
        self._given = start, height, width

    def __call__(self, problem: dict[str, Any], render_mode: str | None = None) -> SignWorld:
        """The environment whose sign says the `colour` of the problem."""
        return SignWorld(int(problem["colour"]), *self._given, render_mode)


@functools.cache
def _world(size: tuple[int, int], colour: int) -> Any:
    """The world with one word on its sign."""
    # No window; one thread, as there is one process a core.
    os.environ.update(PYGLET_HEADLESS="1", LP_NUM_THREADS="0")
    from miniworld.envs.sign import Sign  # pyright: ignore[reportMissingImports]

    world = Sign(color_index=colour, obs_height=size[0], obs_width=size[1], max_episode_steps=1 << 30)
    world.reset(seed=0)
    return world


@functools.lru_cache(maxsize=1)
def _readied(size: tuple[int, int], colour: int) -> Any:
    """The world, ready to be drawn."""
    world = _world(size, colour)
    world.shadow_window.switch_to()
    world._render_static()
    return world


def _placed(size: tuple[int, int], pose: np.ndarray, colour: int) -> Any:
    """The world with agent and objects as `pose` says."""
    world = _readied(size, colour)
    x, z, heading, *headings = map(float, pose)
    world.agent.pos, world.agent.dir = np.array([x, 0.0, z]), heading
    for thing, turned in zip((thing for kind in world._objects for thing in kind), headings, strict=True):
        thing.dir = turned
    return world
