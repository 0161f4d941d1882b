"""What an agent knows, for people who look on."""

import functools

import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.algorithms.base import Algorithm, TrainState
from scoutrl.envs import Problem
from scoutrl.trials.agent import Memory


@functools.singledispatch
def known(algorithm: Algorithm, state: TrainState, problem: Problem, memory: Memory) -> Float[Array, ""]:
    """How much of what is worth knowing about `problem` an agent's memory holds: 0 nothing, 1 everything.

    This is told the problem, the agent is not. An algorithm that can tell registers a function of its own
    (`@known.register`); of others it is NaN.
    """
    return jnp.float32(jnp.nan)
