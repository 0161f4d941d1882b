"""`Rooms` as a Gymnasium environment: as an object, from a function, and in Gymnasium's registry."""

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from scoutrl import ProblemSet, from_gymnasium
from scoutrl.envs.host import HostFamily


class GymRooms(gymnasium.Env):
    """The rules of `Rooms` once more; counting starts where it likes."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012 (as Gymnasium wants it)

    def __init__(self, secret: int, shade: str = "dark", start: int = 0, render_mode: str | None = None):
        self.observation_space, self.action_space = Discrete(5, start=start), Discrete(4, start=start)
        self.secret, self.start, self.render_mode = secret, start, render_mode
        self.steps = self.drawn = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.drawn = 0, int(self.np_random.integers(2))
        return self.start, {"order": self.drawn}

    def step(self, action):
        action, self.steps = action - self.start, self.steps + 1
        right = action == (self.secret + self.drawn) % 4
        return self.start + (self.secret + 1) * (action == 0), float(right), False, self.steps >= 2, {}

    def render(self):
        return np.full((40, 60, 3), 60 * self.secret, np.uint8)


def rooms_of(start: int = 0, workers: int = 1) -> HostFamily:
    """A family of such rooms, each secret in one shade."""

    def make(problem, render_mode=None):
        return GymRooms(problem["secret"], start=start, render_mode=render_mode)

    problems = ProblemSet({"secret": range(4)}, range(4), range(4))
    return from_gymnasium(make, problems, 2, goal="order", goal_space=Discrete(2), workers=workers)


rooms = rooms_of()
PROBLEMS = [{"secret": secret, "shade": shade} for secret in range(4) for shade in ("dark", "light")]
if "RoomsProbe-v0" not in gymnasium.registry:
    gymnasium.register("RoomsProbe-v0", GymRooms, max_episode_steps=2)  # pyright: ignore[reportArgumentType]
