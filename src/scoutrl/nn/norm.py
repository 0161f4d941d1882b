"""Normalisation of hidden layers."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.nn.init import zeros


class LayerNorm(eqx.Module):
    """y = scale (x - mean) / deviation + shift over the last axis (Ba et al. 2016)."""

    scale: Float[Array, "*several size"]
    """One at first, kept as its difference from that."""
    shift: Float[Array, "*several size"]
    """Zero at first."""

    def __init__(self, *shape: int):
        """For vectors of the last length; those before it have scales and shifts of their own."""
        self.scale, self.shift = zeros(*shape), zeros(*shape)

    def __call__(self, x: Float[Array, "*batch size"]) -> Float[Array, "*batch size"]:
        """Normalise."""
        centred = x - x.mean(axis=-1, keepdims=True)
        unit = centred * jax.lax.rsqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return unit * jnp.broadcast_to(1 + self.scale, x.shape) + jnp.broadcast_to(self.shift, x.shape)
