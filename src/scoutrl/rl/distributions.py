"""Distributions over actions, for policies that are learnt as such; chosen by the action space."""

import abc
import math
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.rl.actions import Components


class Distribution(eqx.Module):
    """What a stochastic policy says in one state, or in many: any leading axes."""

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray) -> Array:
        """Draw an action."""

    @abc.abstractmethod
    def mode(self) -> Array:
        """The likeliest action."""

    @abc.abstractmethod
    def log_probability(self, action: Array) -> Float[Array, "*batch"]:
        """Logarithm of the probability (or density) of actions."""

    @abc.abstractmethod
    def entropy(self) -> Float[Array, "*batch"]:
        """How undecided the policy is, in nats."""


@final
class Categorical(Distribution):
    """Independent choices among numbers, one for each component of an action."""

    logits: Float[Array, "*batch components most"]
    """Log-probabilities up to a constant; `scoutrl.rl.actions.NEVER` where a component has no such choice."""
    components: Components

    def sample(self, key: PRNGKeyArray) -> Array:
        """Draw an action."""
        return self.components.join(jax.random.categorical(key, self.logits))

    def mode(self) -> Array:
        """The likeliest action."""
        return self.components.join(self.logits.argmax(axis=-1))

    def log_probability(self, action: Array) -> Float[Array, "*batch"]:
        """By a product with one-hots: its gradient is no scatter."""
        one_hot = jax.nn.one_hot(self.components.split(action), self.logits.shape[-1])
        return (one_hot * jax.nn.log_softmax(self.logits)).sum(axis=(-2, -1))

    def entropy(self) -> Float[Array, "*batch"]:
        """-Σ p log p, summed over the components."""
        logs = jax.nn.log_softmax(self.logits)
        return -(jnp.exp(logs) * logs).sum(axis=(-2, -1))


@final
class CensoredGaussian(Distribution):
    """Independent normal coordinates in a box: what a draw has beyond a bound is moved onto the bound.

    The probability of an action on a bound is that of the whole tail, so it is exact for the actions really done.
    """

    mean: Float[Array, "*batch n"]
    """Means, in the coordinates of the box."""
    deviation: Float[Array, "*batch n"]
    """Standard deviations, above 0."""
    low: tuple[float, ...] = eqx.field(static=True)
    """Lower bounds, finite."""
    high: tuple[float, ...] = eqx.field(static=True)
    """Upper bounds, finite."""

    def sample(self, key: PRNGKeyArray) -> Array:
        """Draw an action."""
        return self._inside(self.mean + self.deviation * jax.random.normal(key, self.mean.shape))

    def mode(self) -> Array:
        """The mean, or the bound next to it."""
        return self._inside(self.mean)

    def log_probability(self, action: Array) -> Float[Array, "*batch"]:
        """Log-density inside the bounds, log-probability of the tail on them; summed over coordinates."""
        low, high = self._bounds()
        inside = norm.logpdf(action, self.mean, self.deviation)
        below = norm.logcdf(low, self.mean, self.deviation)
        above = norm.logcdf(-high, -self.mean, self.deviation)
        each = jnp.where(action <= low, below, jnp.where(action >= high, above, inside))
        return each.sum(axis=-1)

    def entropy(self) -> Float[Array, "*batch"]:
        """That of the normal distribution before anything is moved: 1/2 log(2πe σ²) for each coordinate."""
        return (0.5 * math.log(2 * math.pi * math.e) + jnp.log(self.deviation)).sum(axis=-1)

    def _inside(self, action: Array) -> Array:
        return jnp.clip(action, *self._bounds())

    def _bounds(self) -> list[Float[Array, "*batch n"]]:
        return [jnp.broadcast_to(jnp.array(bound), self.mean.shape) for bound in (self.low, self.high)]
