"""Environments on the host whose step takes as long as one says. A module of its own: worker processes import it."""

import time
from typing import Any, final

import gymnasium

from scoutrl.envs.host import HostFamily, from_gymnasium

SIZE, HORIZON = 8, 20
"""Problems, and steps of an episode."""


@final
class Slow(gymnasium.Env):
    """Action i pays in problem i, action 0 shows i; a step takes its time."""

    def __init__(self, paying: int, seconds: float, works: bool):
        self.observation_space = gymnasium.spaces.Discrete(SIZE + 1)
        self.action_space = gymnasium.spaces.Discrete(SIZE)
        self._paying, self._seconds, self._works = paying, seconds, works

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict]:
        """Nothing is shown."""
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict]:
        """Pay for the action of the problem."""
        until = time.perf_counter() + self._seconds
        if not self._works:
            time.sleep(self._seconds)
        while time.perf_counter() < until:
            pass
        return (self._paying + 1) * (action == 0), float(action == self._paying) / HORIZON, False, False, {}


def slow(name: str, seconds: float) -> HostFamily:
    """The family of them, "asleep" or "at work" for so many seconds a step."""

    def make(problem: dict[str, int]) -> Slow:
        return Slow(problem["paying"], seconds, works=name == "at work")

    return from_gymnasium(make, [{"paying": paying} for paying in range(SIZE)], HORIZON, name=name)
