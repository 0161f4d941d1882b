"""Predicting what an action leads to: y = (r, s'), from s, a and whatever is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from scoutrl.nn.dense import Dense
from scoutrl.nn.encoders import Encoder, OneHot
from scoutrl.nn.history import Transitions


class Predictor(eqx.Module):
    """ŷ(s, a, known)."""

    look: Dense
    """From s and a."""
    known: Dense
    """From what is known, added to the first hidden layer."""
    hidden: Dense
    """A second hidden layer."""
    after: Dense
    """To s', as features: log-probabilities up to a constant where they are one-hot, else the features themselves."""
    reward: Dense
    """To r."""

    def __init__(self, observation: int, actions: int, known: int, width: int):
        self.look, self.known = Dense(observation + actions, width), Dense(known, width, gain=1.0)
        self.hidden = Dense(width, width)
        self.after, self.reward = Dense(width, observation, gain=1.0), Dense(width, 1, gain=1.0)

    def error(
        self, encoder: Encoder, transitions: Transitions, known: Float[Array, "*batch known"]
    ) -> Float[Array, "*batch"]:
        """‖ŷ - y‖² for numbers, -2 log-likelihood for what is discrete: both are twice a surprise in nats."""
        x = jax.nn.relu(
            self.look(jnp.concatenate([transitions.before, transitions.action], axis=-1)) + self.known(known)
        )
        x = jax.nn.relu(self.hidden(x))
        reward = (self.reward(x)[..., 0] - transitions.reward) ** 2
        return reward + _error(encoder, self.after(x), jax.lax.stop_gradient(transitions.after))


def _error(encoder: Encoder, predicted: Array, features: Array) -> Float[Array, "*batch"]:
    if not isinstance(encoder, OneHot):
        return ((predicted - features) ** 2).sum(axis=-1)
    edges = np.cumsum(encoder.sizes)[:-1].tolist()
    normalisers = [jax.nn.logsumexp(part, axis=-1) for part in jnp.split(predicted, edges, axis=-1)]
    return 2 * (sum(normalisers) - (predicted * features).sum(axis=-1))
