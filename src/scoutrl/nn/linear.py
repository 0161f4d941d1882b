"""Linear layers that flatten all leading axes into one before they multiply: far faster in XLA on a CPU."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.nn.init import Rng, normal, zeros


class Linear(eqx.Module):
    """y = x W + b on the last axis."""

    weight: Float[Array, "inputs outputs"]
    """W, drawn with standard deviation gain / sqrt(inputs)."""
    bias: Float[Array, " outputs"]
    """b, zero at first."""

    def __init__(self, inputs: int, outputs: int, rng: Rng, gain: float = 2**0.5):
        """Draw a layer; `gain` sqrt(2) suits one followed by relu, 1 a linear one."""
        self.weight = normal(rng, (inputs, outputs), gain / max(inputs, 1) ** 0.5)
        self.bias = zeros(outputs)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        """Multiply and add."""
        product = matmul(x, self.weight)
        return product + jnp.broadcast_to(self.bias, product.shape)


def matmul(x: Float[Array, "*batch inputs"], weight: Float[Array, "inputs outputs"]) -> Float[Array, "*batch outputs"]:
    """`x @ weight` as one two-dimensional product."""
    flat = x.reshape(-1, x.shape[-1]) @ weight
    return flat.reshape(*x.shape[:-1], weight.shape[1])
