"""What the shards of a run do together; everything else each does alone, on trials of its own."""

from typing import Any

import equinox as eqx
import jax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

DEVICES = "devices"
"""Name of the axis of devices."""
ON_A_DEVICE = "shards_of_a_device"
"""Name of the axis of the shards that share a device."""


def averaged(tree: Any) -> Any:
    """The mean over all shards of a pytree of real numbers, the same bits in each of them.

    It is added up in the order of the shards, however they are laid out: the sums of `jax.lax.psum` have no order.
    """
    arrays, rest = eqx.partition(tree, eqx.is_array)
    own, back = ravel_pytree(arrays)
    every = jax.lax.all_gather(jax.lax.all_gather(own, ON_A_DEVICE), DEVICES)
    return eqx.combine(back(_mean(every.reshape(-1, own.size))), rest)


def _mean(every: Float[Array, "shards numbers"]) -> Float[Array, " numbers"]:
    total = every[0]
    for one in every[1:]:
        total = total + one
    return total / len(every)
