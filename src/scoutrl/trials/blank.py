"""Trials before anything has happened: shapes and the smallest types, from the spaces of a family alone."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from jaxtyping import Array

from scoutrl.envs import Spec
from scoutrl.trials.trial import Episodes, Protocol, Trial


def blank(spec: Spec, protocol: Protocol, count: int) -> Trial:
    """Trials [count] of a family before anything has happened, in the types that are stored."""
    problem = spec.problems.ids
    return Trial(
        jnp.zeros((count, problem.shape[1]), problem.dtype),
        _blank(spec, count, protocol.exploration_episodes),
        _blank(spec, count, protocol.exploitation_episodes),
        jnp.zeros(count, bool),
    )


def _blank(spec: Spec, count: int, episodes: int) -> Episodes:
    lead, steps, spaces = (count, episodes), (count, episodes, spec.horizon), spec.spaces

    def zeros(lead: tuple[int, ...], space: Space) -> Array:
        return jnp.zeros((*lead, *(space.shape or ())), stored_type(space))

    return Episodes(
        zeros((*lead, spec.horizon + 1), spaces.observation),
        zeros(steps, spaces.action),
        jnp.zeros(steps),
        jnp.zeros(steps, bool),
        jnp.zeros(steps, bool),
        None if spaces.goal is None else zeros(lead, spaces.goal),
    )


def stored_type(space: Space) -> Any:
    """The smallest type that holds the elements of `space`."""
    if not isinstance(space, Discrete | MultiDiscrete):
        return space.dtype
    top = int(np.max(space.start + (space.n if isinstance(space, Discrete) else space.nvec)))
    bottom = int(np.min(space.start))
    return next(t for t in (jnp.int8, jnp.int16, jnp.int32) if jnp.iinfo(t).min <= bottom and top <= jnp.iinfo(t).max)
