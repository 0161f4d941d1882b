"""`Corridor` as a Gymnasium environment, and some that misbehave."""

import os
import time

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from scoutrl import ProblemSet, from_gymnasium
from scoutrl.envs.host import HostFamily


class GymCorridor(gymnasium.Env):
    """The same rules as `Corridor`, written once more."""

    render_mode = "rgb_array"

    def __init__(self, length: int):
        self.observation_space, self.action_space = Discrete(10), Discrete(4)
        self.length, self.steps = length, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        self.length = self.length if options is None else options["length"]
        return 0, {"goal": 7}

    def step(self, action):
        over = self.steps >= self.length
        self.steps += 1
        even = self.length % 2 == 0
        return self.steps, self.steps, over and even, over and not even, {}

    def render(self):
        return np.full((8, 8, 3), self.steps, np.uint8)


class Fails(GymCorridor):
    """In its own way, once in a directory, at the second step of some episode; never in the process that made it."""

    def __init__(self, length: int, way: str, directory: str, maker: int):
        super().__init__(length)
        self.way, self.mark, self.maker = way, os.path.join(directory, "failed"), maker

    def step(self, action):
        if self.steps == 1 and os.getpid() != self.maker and not os.path.exists(self.mark):
            with open(self.mark, "w"):
                pass
            self.fail()
        return super().step(action)

    def fail(self):
        if self.way == "raises":
            raise ValueError("a fault of its own")
        if self.way == "exits":
            raise SystemExit(3)
        if self.way == "dies":
            os._exit(5)
        time.sleep(60)


def corridors(make=GymCorridor, *given, **options) -> HostFamily:
    """A family of such environments."""
    return from_gymnasium(
        lambda problem: make(problem["length"], *given),
        ProblemSet({"length": [0, 1, 2, 5]}, [0, 1], [2, 3]),
        horizon=4,
        goal="goal",
        goal_space=Discrete(9),
        **{"workers": 2, **options},
    )
