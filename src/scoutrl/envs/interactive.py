"""A family stepped from a plain Python loop, one episode at a time, with NumPy in and out."""

from typing import Any

import jax
import numpy as np

from scoutrl import prng
from scoutrl.envs.base import MetaEnv
from scoutrl.envs.spaces import fit_space
from scoutrl.errors import ScoutError


class InteractiveEnv:
    """One environment of a family, for people who want no JAX.

    world = InteractiveEnv(scoutrl.make("bus"))
    observation = world.reset(problem=3)
    observation, reward, terminated, truncated = world.step(1)
    """

    goal: Any
    """The goal of the episode; None in a family without goals."""

    def __init__(self, env: MetaEnv):
        """Wrap `env`; its functions are compiled at the first reset and step."""
        self.env = env
        self.goal = None
        self._state: Any = None
        self._steps = 0
        self._over = True

        def reset(problem, key):
            key, drawn = jax.random.split(key)
            state, observation = env.reset(problem, drawn)
            return state, observation, env.goal(state), key

        def step(state, action, key):
            key, drawn = jax.random.split(key)
            return *env.step(state, action, drawn), key

        self._reset, self._step = jax.jit(reset), jax.jit(step)

    def reset(self, problem: int, seed: int = 0) -> np.ndarray:
        """Start an episode of the problem in row `problem` of `env.problems.ids`; the first observation.

        Rows of the unseen problems are in `env.problems.test`. The seed draws the goal and all else that is random.

        Raises:
            ScoutError: no such row.
        """
        ids = self.env.problems.ids
        if not 0 <= problem < len(ids):
            raise ScoutError(f"problems are numbered 0 … {len(ids) - 1}; there is no problem {problem}.")
        self._state, observation, goal, self._key = self._reset(ids[problem], prng.key(seed))
        self.goal = None if goal is None else np.asarray(goal)
        self._steps, self._over = 0, False
        return np.asarray(observation)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool]:
        """Act: observation, reward, terminated, truncated. At the horizon an episode is always truncated.

        Raises:
            ScoutError: the episode is over, or the action is none of the family's.
        """
        if self._over:
            raise ScoutError("the episode is over: call reset to start another.")
        checked = fit_space(action, self.env.spaces.action, "action")
        self._state, answer, self._key = self._step(self._state, checked, self._key)
        self._steps += 1
        terminated = bool(answer.terminated)
        truncated = bool(answer.truncated) or self._steps >= self.env.horizon
        self._over = terminated or truncated
        return np.asarray(answer.observation), float(answer.reward), terminated, truncated

    def render(self) -> np.ndarray:
        """A picture of the present state, uint8 [height, width, 3].

        Raises:
            ScoutError: reset was never called.
        """
        if self._state is None:
            raise ScoutError("there is nothing to draw yet: call reset first.")
        return np.asarray(self.env.render(self._state))


HostEnv = InteractiveEnv
"""The name it had up to 0.1."""
