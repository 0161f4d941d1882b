"""A picture of an observation, for families that have no pictures of their own."""

from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8

from scoutrl.envs.base import Observation
from scoutrl.envs.spaces import is_image, limits

_HEIGHT, _WIDTH = 64, 160
"""Pixels; more numbers than columns are not drawn."""
_PAPER, _INK = 244, 70


def picture(space: gymnasium.Space, seen: Observation) -> UInt8[jax.Array, "height width 3"]:
    """An image as it is; numbers as bars, from the least to the most that the space admits."""
    if is_image(space):
        return seen
    values = jnp.ravel(_share(space, jnp.asarray(seen, jnp.float32)))[:_WIDTH]
    columns = jnp.repeat(values, max(1, _WIDTH // len(values)))
    above = (np.arange(_HEIGHT, dtype=np.float32)[::-1, None] + 1) / _HEIGHT
    grey = jnp.where(above <= columns[None, :], _INK, _PAPER).astype(jnp.uint8)
    return jnp.repeat(grey[:, :, None], 3, axis=2)


def _share(space: Any, seen: jax.Array) -> jax.Array:
    """How far, 0 … 1, each number lies between its bounds; without bounds it is squashed."""
    low, high = (bound.astype(np.float32) for bound in limits(space))
    bounded = np.isfinite(low) & np.isfinite(high) & (high - low < 1e6) & (high > low)
    width = np.where(bounded, high - low, np.float32(1))
    return jnp.where(bounded, (seen - np.where(bounded, low, np.float32(0))) / width, jax.nn.sigmoid(seen))
