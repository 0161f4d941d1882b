"""A belief about z: a product of Gaussian factors, one for each experience, times the prior N(0, I).

A Gaussian is kept as its precision and its precision times its mean: products are sums then, in any order.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.recurrent import TransitionFeatures


class Factor(eqx.Module):
    """Gaussians up to a constant, with independent components; no factor at all is zeros."""

    precision: Float[Array, "*batch z"]
    """1 / σ², at least 0."""
    weighted: Float[Array, "*batch z"]
    """The mean times the precision."""

    def __mul__(self, other: "Factor") -> "Factor":
        """The product of two."""
        return Factor(self.precision + other.precision, self.weighted + other.weighted)

    def product(self, mask: Bool[Array, "*batch time"]) -> "Factor":
        """The product over the last axis but one, [*batch, time, z], of what the mask admits."""
        return jax.tree.map(lambda x: (x * mask[..., None]).sum(axis=-2), self)

    def belief(self) -> "Belief":
        """The posterior: these factors times the prior."""
        precision = 1 + self.precision
        return Belief(self.weighted / precision, 1 / precision)


class Belief(eqx.Module):
    """q(z | experiences), a Gaussian with independent components."""

    mean: Float[Array, "*batch z"]
    variance: Float[Array, "*batch z"]
    """0 … 1: no experience takes away what the prior knows."""

    def draw(self, key: PRNGKeyArray) -> Float[Array, "*batch z"]:
        """z ~ q, reparameterised."""
        return self.mean + jnp.sqrt(self.variance) * jax.random.normal(key, self.mean.shape)

    def kl(self) -> Float[Array, "*batch"]:
        """KL(q ‖ N(0, I)), in nats."""
        return 0.5 * (self.variance + self.mean**2 - 1 - jnp.log(self.variance)).sum(axis=-1)


class Inference(eqx.Module):
    """q_φ: from a transition (s, a, r, s') to its factor."""

    layers: list[Linear]
    """Two hidden layers."""
    mean: Linear
    """To the mean of the factor."""
    precision: Linear
    """To its precision, before softplus."""

    def __init__(self, observation: int, actions: int, width: int, z: int, rng: Rng):
        """Draw a network for features of such lengths."""
        self.layers = [Linear(2 * observation + actions + 1, width, rng), Linear(width, width, rng)]
        self.mean, self.precision = Linear(width, z, rng, gain=1.0), Linear(width, z, rng, gain=1.0)

    @property
    def size(self) -> int:
        """Length of z."""
        return self.mean.bias.shape[-1]

    def nothing(self) -> Factor:
        """What no experience says."""
        return Factor(jnp.zeros(self.size), jnp.zeros(self.size))

    def __call__(self, transitions: TransitionFeatures) -> Factor:
        """The factor of each transition, with any leading axes."""
        parts = [transitions.before, transitions.action, transitions.reward[..., None], transitions.after]
        x = jnp.concatenate(parts, axis=-1)
        for layer in self.layers:
            x = jax.nn.relu(layer(x))
        precision = jax.nn.softplus(self.precision(x))
        return Factor(precision, precision * self.mean(x))
