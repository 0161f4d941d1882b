"""Linear layers that flatten all leading axes into one before they multiply: far faster in XLA on a CPU.

A network fresh from its constructor holds, in place of each number, the standard deviation it is to be drawn with;
`randomise` then draws all of them at once, which compiles twenty times faster than a draw for each layer.
"""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

Network = TypeVar("Network", bound=eqx.Module)


class Linear(eqx.Module):
    """y = x W + b on the last axis."""

    weight: Float[Array, "inputs outputs"]
    """W, drawn with standard deviation gain / sqrt(inputs)."""
    bias: Float[Array, " outputs"]
    """b, zero at first."""

    def __init__(self, inputs: int, outputs: int, gain: float = 2**0.5):
        """A layer yet to be drawn; `gain` sqrt(2) suits one followed by relu, 1 a linear one."""
        self.weight = jnp.full((inputs, outputs), gain / max(inputs, 1) ** 0.5)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """Multiply and add."""
        return matmul(x, self.weight) + self.bias


def matmul(x: Float[Array, "*batch inputs"], weight: Float[Array, "inputs outputs"]) -> Float[Array, "*batch outputs"]:
    """`x @ weight` as one two-dimensional product."""
    flat = x.reshape(-1, x.shape[-1]) @ weight
    return flat.reshape(*x.shape[:-1], weight.shape[1])


def randomise(network: Network, key: PRNGKeyArray) -> Network:
    """Draw every number of a fresh network from a normal distribution with the standard deviation that it holds."""
    deviations, unravel = ravel_pytree(eqx.filter(network, eqx.is_array))
    drawn = unravel(deviations * jax.random.normal(key, deviations.shape))
    return eqx.combine(drawn, network)
