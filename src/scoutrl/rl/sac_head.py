"""The last layers of soft actor-critic: a policy, two critics and a temperature."""

import math
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear, matmul
from scoutrl.nn.norm import LayerNorm
from scoutrl.rl.learner import Features, Head

LEAST_LOG, MOST_LOG = -5.0, 2.0
"""Bounds on the logarithm of the standard deviation before squashing."""


@final
class Squashed(eqx.Module):
    """tanh(u), u normal with independent coordinates: actions in -1 … 1, which stand for those of a Box."""

    mean: Float[Array, "*batch n"]
    """Of u."""
    log_deviation: Float[Array, "*batch n"]
    """Logarithm of the standard deviation of u."""
    low: tuple[float, ...] = eqx.field(static=True)
    """Lower bounds of the Box."""
    high: tuple[float, ...] = eqx.field(static=True)
    """Upper bounds of the Box."""

    def sample(self, key: PRNGKeyArray) -> tuple[Float[Array, "*batch n"], Float[Array, "*batch"]]:
        """An action in -1 … 1, reparameterised, and its log-density there."""
        noise = jax.random.normal(key, self.mean.shape)
        u = self.mean + jnp.exp(self.log_deviation) * noise
        log_normal = -0.5 * noise**2 - self.log_deviation - 0.5 * math.log(2 * math.pi)
        # log(1 - tanh² u), in a form that is exact far out.
        log_slope = 2 * (math.log(2) - u - jax.nn.softplus(-2 * u))
        return jnp.tanh(u), (log_normal - log_slope).sum(axis=-1)

    def mode(self) -> Float[Array, "*batch n"]:
        """The action of the mean of u, in -1 … 1."""
        return jnp.tanh(self.mean)


@final
class Actor(eqx.Module):
    """π(·|s)."""

    hidden: Linear
    norm: LayerNorm
    mean: Linear
    """To the mean before squashing."""
    deviation: Linear
    """To the logarithm of the standard deviation, before it is bounded."""

    def __init__(self, features: int, size: int, width: int, rng: Rng):
        """Draw a policy over actions of `size` coordinates."""
        self.hidden, self.norm = Linear(features, width, rng), LayerNorm(width)
        self.mean, self.deviation = Linear(width, size, rng, gain=0.1), Linear(width, size, rng, gain=0.1)

    def __call__(self, features: Features) -> tuple[Float[Array, "*batch n"], Float[Array, "*batch n"]]:
        """Mean and logarithm of the standard deviation."""
        x = jax.nn.relu(self.norm(self.hidden(features)))
        middle, half = (MOST_LOG + LEAST_LOG) / 2, (MOST_LOG - LEAST_LOG) / 2
        # At the start the deviation is 1: the policy is spread over the whole box.
        start = math.atanh(-middle / half)
        return self.mean(x), middle + half * jnp.tanh(self.deviation(x) + start)


@final
class Critics(eqx.Module):
    """Q_1 and Q_2 of (s, a), side by side: one product for both, and what it makes of s serves all actions."""

    hidden: Linear
    """From features and action, to the hidden layers of both."""
    norm: LayerNorm
    out: Linear
    """From the hidden layer of each to its value."""
    size: int = eqx.field(static=True)
    """Coordinates of an action."""

    def __init__(self, features: int, size: int, width: int, rng: Rng):
        """Draw two critics for actions of `size` coordinates."""
        self.hidden, self.norm = Linear(features + size, 2 * width, rng), LayerNorm(2, width)
        self.out, self.size = Linear(width, 2, rng, gain=1.0), size

    def embed(self, features: Features) -> Features:
        """What the hidden layers make of s."""
        seen = matmul(features, self.hidden.weight[: -self.size])
        return seen + jnp.broadcast_to(self.hidden.bias, seen.shape)

    def __call__(self, embedded: Features, action: Float[Array, "*batch n"]) -> Float[Array, "*batch 2"]:
        """The two values of an action in -1 … 1, in the states that `embed` was given."""
        x = embedded + matmul(action, self.hidden.weight[-self.size :])
        x = jax.nn.relu(self.norm(x.reshape(*x.shape[:-1], 2, -1)))
        values = (x * jnp.broadcast_to(self.out.weight.T, x.shape)).sum(axis=-1)
        return values + jnp.broadcast_to(self.out.bias, values.shape)


@final
class SacHead(Head):
    """A policy, two critics and a temperature."""

    actor: Actor
    critics: Critics
    log_temperature: Float[Array, ""]
    """log α."""
    low: tuple[float, ...] = eqx.field(static=True)
    high: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, features: int, space: Box, width: int, temperature: float, rng: Rng):
        """Draw a head for features of that length."""
        self.low, self.high = tuple(space.low.tolist()), tuple(space.high.tolist())
        self.actor = Actor(features, self.size, width, rng)
        self.critics = Critics(features, self.size, width, rng)
        self.log_temperature = jnp.asarray(np.float32(math.log(temperature)))

    @property
    def size(self) -> int:
        """Coordinates of an action."""
        return len(self.low)

    def __call__(self, features: Features) -> Squashed:
        """π(·|s)."""
        return Squashed(*self.actor(features), self.low, self.high)
