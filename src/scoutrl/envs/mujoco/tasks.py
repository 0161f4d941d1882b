"""What a hidden problem makes of Gymnasium's half-cheetah and ant: what is seen and what pays."""

import abc
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any, Literal, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box

Reward = Literal["dense", "sparse"]
"""Pays in every step for how well it went, or only where the problem has been met."""


class Task(gymnasium.Wrapper):
    """An environment of MuJoCo with a reward of its own; nothing ends an episode but the horizon."""

    def __init__(self, env: gymnasium.Env, reward: Reward, extra: int = 0):
        """Wrap `env`; `extra` numbers are seen beside what it shows."""
        super().__init__(env)
        self.is_sparse = reward == "sparse"
        self._model: Any = env.unwrapped
        self._torso = self._model.model.body("torso").id
        size = env.observation_space.shape[0] + extra  # pyright: ignore[reportOptionalSubscript]
        self.observation_space = Box(-np.inf, np.inf, (size,), np.float64)

    @property
    def torso(self) -> np.ndarray:
        """Where the torso is: x, y, z in metres."""
        return self._model.data.xpos[self._torso]

    @abc.abstractmethod
    def pay(self, action: np.ndarray, info: dict[str, Any]) -> float:
        """The reward of a step, after it."""

    def see(self, observation: np.ndarray) -> np.ndarray:
        """What is seen, from what the environment shows."""
        return observation

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self.see(observation), info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Act."""
        observation, _, _, _, info = self.env.step(action)
        return self.see(observation), self.pay(action, info), False, False, info


class Cheetah(Task):
    """The half-cheetah; beside joints and velocities it sees where its torso is, as in PEARL."""

    def __init__(self, env: gymnasium.Env, reward: Reward):
        """Wrap a half-cheetah."""
        super().__init__(env, reward, extra=3)

    def see(self, observation: np.ndarray) -> np.ndarray:
        """The 17 numbers of the environment and the torso's x, y, z."""
        return np.concatenate([observation, self.torso])


@final
class CheetahVelocity(Cheetah):
    """Run at a hidden velocity."""

    NEAR = 0.5
    """How near it a sparse reward is paid, in m/s."""

    def __init__(self, env: gymnasium.Env, reward: Reward, velocity: float):
        """Wrap a half-cheetah that is to run at `velocity` m/s."""
        super().__init__(env, reward)
        self.velocity = velocity

    def pay(self, action: np.ndarray, info: dict[str, Any]) -> float:
        """-|v - v*|, or 2 - |v - v*| near v* and 0 elsewhere; less 0.05 |a|²."""
        off = abs(info["x_velocity"] - self.velocity)
        earned = (2 - off if off <= self.NEAR else 0.0) if self.is_sparse else -off
        return float(earned - 0.05 * np.square(action).sum())


@final
class CheetahDirection(Cheetah):
    """Run forwards or backwards, which of them is hidden."""

    FAR = 5.0
    """Metres from the start from which on a sparse reward is paid."""

    def __init__(self, env: gymnasium.Env, reward: Reward, direction: float):
        """Wrap a half-cheetah that is to run backwards (direction 0) or forwards (1)."""
        super().__init__(env, reward)
        self.sign = 1 if direction else -1

    def pay(self, action: np.ndarray, info: dict[str, Any]) -> float:
        """The velocity in that direction, if sparse only beyond `FAR`; less 0.05 |a|²."""
        pays = not self.is_sparse or abs(self.torso[0]) >= self.FAR
        return float(self.sign * info["x_velocity"] * pays - 0.05 * np.square(action).sum())


@final
class AntGoal(Task):
    """Go to a hidden place."""

    NEAR = 0.75
    """How near it a sparse reward is paid, in metres."""

    def __init__(self, env: gymnasium.Env, reward: Reward, x: float, y: float):
        """Wrap an ant that is to go to (x, y)."""
        super().__init__(env, reward)
        self.goal = np.array([x, y])

    def pay(self, action: np.ndarray, info: dict[str, Any]) -> float:
        """-|way|₁, or 1 - |way|₂ near the goal and -0.75 elsewhere; less what actions and contacts cost."""
        way = self.torso[:2] - self.goal
        distance = np.hypot(*way)
        sparse = 1 - distance if distance <= self.NEAR else -self.NEAR
        cost = (0.01 if self.is_sparse else 0.1) * np.square(action).sum()
        return float((sparse if self.is_sparse else -np.abs(way).sum()) - cost + info["reward_contact"])


@final
class Maker:
    """From a problem to its environment."""

    def __init__(self, kind: Callable[..., Task], reward: Reward):
        """Make environments of one kind."""
        self._kind, self._reward = kind, reward

    def __call__(self, problem: dict[str, float], render_mode: str | None = None) -> Task:
        """An environment that is told the problem by name."""
        from gymnasium.envs.mujoco.ant_v5 import AntEnv
        from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv

        screen = any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
        if render_mode and sys.platform == "linux" and not screen:
            os.environ.setdefault("MUJOCO_GL", "egl")  # pictures are drawn without a window
        mujoco = importlib.import_module("mujoco")
        before = mujoco.get_mju_user_warning()
        mujoco.set_mju_user_warning(_ignore)  # MuJoCo 4 says of Gymnasium's models that they are written in an old way
        try:
            if self._kind is AntGoal:
                env: gymnasium.Env = AntEnv(
                    render_mode=render_mode,
                    exclude_current_positions_from_observation=False,
                    terminate_when_unhealthy=False,
                )
            else:
                env = HalfCheetahEnv(render_mode=render_mode)
        finally:
            mujoco.set_mju_user_warning(before)
        return self._kind(env, self._reward, **problem)


def _ignore(message: str) -> None:
    """Say nothing."""
