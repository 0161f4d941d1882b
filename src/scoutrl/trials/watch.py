"""Watching a family while it is played: rewards, observations and goals that turn bad, told with problem and step.

What is watched comes out of the compiled program as a few numbers; the program itself never waits for anybody.
"""

from typing import Any

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from scoutrl.envs import Problem, Spec
from scoutrl.envs.spaces import is_image, limits
from scoutrl.trials.trial import Episodes, Trial

_FAULTS = (
    "",
    "a reward that is not finite",
    "an observation that is not finite",
    "an observation outside its space",
    "a goal that is not finite",
    "a goal outside its space",
)


class Fault(eqx.Module):
    """The first thing that went wrong in some trials; all fields may have leading axes."""

    kind: Int[Array, "*batch"]
    """0: nothing."""
    problem: Problem
    """[..., k], the problem ID."""
    step: Int[Array, "*batch"]
    """The step of its episode, counted from 1; 0 is the reset."""

    def describe(self, family: str) -> str:
        """One line, or nothing where nothing was wrong; for a fault without leading axes, on the host."""
        kind, step = int(self.kind), int(self.step)
        if not kind:
            return ""
        method = "goal" if kind > 3 else "step" if step else "reset"
        problem = np.asarray(self.problem).tolist()
        return f"{family}.{method} returned {_FAULTS[kind]} in problem {problem}, step {step} of an episode"


def watch(spec: Spec, trial: Trial) -> Fault:
    """What went wrong first in a trial (without leading axes), in the order of episodes and steps."""
    phases = [_kinds(spec, episodes) for episodes in (trial.exploration, trial.exploitation)]
    kinds = jnp.concatenate(phases).reshape(-1)
    place = jnp.argmax(kinds > 0)
    return Fault(kinds[place], trial.problem, place % (spec.horizon + 1))


def earliest(faults: Fault) -> Fault:
    """The first that is one, of those along the leading axis."""
    place = jnp.argmax(faults.kind > 0)
    return jax.tree.map(lambda x: x[place], faults)


def _kinds(spec: Spec, episodes: Episodes) -> Int[Array, "episodes moments"]:
    """The fault of each moment: before the first step and after each."""
    rewards = jnp.where(jnp.isfinite(episodes.rewards), 0, 1)  # 0 after the end
    kinds = jnp.pad(rewards, ((0, 0), (1, 0)))
    lived = jnp.pad(episodes.mask, ((0, 0), (1, 0)), constant_values=True)
    kinds = jnp.where((kinds == 0) & lived, _outside(episodes.observations, spec.spaces.observation, 2), kinds)
    if spec.spaces.goal is None:
        return kinds
    goals = _outside(episodes.goals, spec.spaces.goal, 4)
    return kinds.at[:, 0].set(jnp.where(kinds[:, 0] == 0, goals, kinds[:, 0]))


def _outside(values: Any, space: gymnasium.Space, kind: int) -> Int[Array, "*batch"]:
    """`kind` where an element is not finite, `kind` + 1 where it lies outside its space, else 0."""
    low, high = limits(space)
    axes = tuple(range(-len(space.shape or ()), 0))
    if is_image(space) and low.min() <= 0 and high.max() >= 255:  # uint8 holds nothing else
        return jnp.zeros(values.shape[: values.ndim - len(axes)], jnp.int32)

    def anywhere(bad: Bool[Array, "..."]) -> Bool[Array, "*batch"]:
        return bad.any(axis=axes) if axes else bad

    wide = values.astype(jnp.float32 if jnp.issubdtype(values.dtype, jnp.floating) else jnp.int32)
    low, high = (jnp.broadcast_to(jnp.asarray(x, wide.dtype), wide.shape) for x in (low, high))
    outside = jnp.where(anywhere((wide < low) | (wide > high)), kind + 1, 0)
    return jnp.where(anywhere(~jnp.isfinite(wide)), kind, outside)
