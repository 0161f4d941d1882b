"""From a hidden vector to action values."""

import equinox as eqx
from jaxtyping import Array, Float

from scoutrl.nn.linear import Linear


class Duelling(eqx.Module):
    """Q(s, a) = V(s) + A(s, a) - mean over actions of A(s, ·)  (Wang et al. 2016, equation 9)."""

    value: Linear
    """V."""
    advantage: Linear
    """A."""

    def __init__(self, inputs: int, actions: int):
        self.value = Linear(inputs, 1, gain=1.0)
        self.advantage = Linear(inputs, actions, gain=1.0)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch actions"]:
        """Action values."""
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(axis=-1, keepdims=True)
