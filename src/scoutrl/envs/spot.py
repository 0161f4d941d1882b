"""Where the agent is in a family's pictures, so that its path can be drawn."""

import functools

import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.envs.base import MetaEnv, State


@functools.singledispatch
def spot(env: MetaEnv, state: State) -> Float[Array, "2"]:
    """Column and row, in pixels, of the agent in `env.render(state)`.

    A family whose agent walks registers a function of its own (`@spot.register`); in others it is nowhere, NaN.
    """
    return jnp.full(2, jnp.nan)
