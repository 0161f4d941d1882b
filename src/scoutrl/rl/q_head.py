"""The last layer of Q(λ): the utilities of all choices.

Of several numbers each has a utility of its own, and Q(s, a) is their mean (decoupled Q-networks: Seyde et al. 2023).
Each coordinate of a Box is a number as well: that of a bin (Seyde et al. 2021):

    Q(s, a) = V(s) + 1/n Σ_i [ A_i(s, a_i) - mean over choices of A_i(s, ·) ]      (duelling: Wang et al. 2016, eq. 9)
"""

from typing import final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.rl.actions import NEVER, Choices
from scoutrl.rl.learner import Features, Head

Utilities = Float[Array, "*batch components most"]
"""V + A_i of each choice of each component, `NEVER` where a component has no such choice."""


@final
class Outputs(eqx.Module):
    """What actions are chosen by."""

    utilities: Utilities
    components: Choices


@final
class QHead(Head):
    """Utilities."""

    value: Linear
    """V."""
    advantage: Linear
    """A, of all components side by side."""
    components: Choices
    """What the components choose among."""

    def __init__(self, features: int, components: Choices, rng: Rng):
        """Draw a head for features of that length."""
        self.components = components
        self.value = Linear(features, 1, rng, gain=1.0)
        self.advantage = Linear(features, len(components.sizes) * components.most, rng, gain=1.0)

    def __call__(self, features: Features) -> Outputs:
        """Utilities of all choices."""
        sizes, valid = self.components.sizes, self.components.valid
        advantage = self.advantage(features).reshape(*features.shape[:-1], *valid.shape)
        is_valid = jnp.broadcast_to(valid, advantage.shape)
        counts = jnp.broadcast_to(np.array(sizes, np.float32)[:, None], (*advantage.shape[:-1], 1))
        mean = (advantage * is_valid).sum(axis=-1, keepdims=True) / counts
        utilities = self.value(features)[..., None] + advantage - mean
        return Outputs(utilities if valid.all() else jnp.where(is_valid, utilities, NEVER), self.components)
