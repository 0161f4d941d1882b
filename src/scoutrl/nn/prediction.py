"""Predicting what an action leads to, r and s', from s, a and whatever is known of the problem."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.nn.encoders import Encoder, Image, OneHot
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.recurrent import TransitionFeatures


class Predictor(eqx.Module):
    """ŷ(s, a, known)."""

    look: Linear
    """From s and a."""
    known: Linear
    """From what is known, added to the first hidden layer."""
    hidden: Linear
    """A second hidden layer."""
    after: Linear
    """To s', as features: log-probabilities up to a constant where they are one-hot, else the features themselves."""
    reward: Linear
    """To r."""

    def __init__(self, seen: int, actions: int, known: int, width: int, observation: int, rng: Rng):
        """Draw a network for features of such lengths, which predicts the first `observation` of those seen."""
        self.look, self.known = Linear(seen + actions, width, rng), Linear(known, width, rng, gain=1.0)
        self.hidden = Linear(width, width, rng)
        self.after, self.reward = Linear(width, observation, rng, gain=1.0), Linear(width, 1, rng, gain=1.0)

    def error(
        self, encoder: Encoder, transitions: TransitionFeatures, known: Float[Array, "*batch known"]
    ) -> Float[Array, "*batch"]:
        """‖ŷ - y‖² for numbers, -2 log-likelihood for what is discrete: both are twice a surprise in nats."""
        x = jax.nn.relu(
            self.look(jnp.concatenate([transitions.before, transitions.action], axis=-1)) + self.known(known)
        )
        x = jax.nn.relu(self.hidden(x))
        reward = (self.reward(x)[..., 0] - transitions.reward) ** 2
        after = jax.lax.stop_gradient(transitions.after[..., : encoder.size])
        return reward - 2 * log_likelihood(encoder, self.after(x), after)


class Decoder(eqx.Module):
    """y(m, x) = V relu(W relu(A m + B x)): of every step x by every embedding m of a trial."""

    task: Linear
    """A."""
    step: Linear
    """B."""
    hidden: Linear
    """W."""
    out: Linear
    """V."""

    def __init__(self, embedding: int, features: int, width: int, outputs: int, rng: Rng):
        """Draw a network for features of such lengths."""
        self.task, self.step = Linear(embedding, width, rng, gain=1.0), Linear(features, width, rng, gain=1.0)
        self.hidden, self.out = Linear(width, width, rng), Linear(width, outputs, rng, gain=1.0)

    def __call__(
        self, m: Float[Array, "batch terms embedding"], x: Float[Array, "batch time features"]
    ) -> Float[Array, "batch terms time outputs"]:
        """Predictions for each pair of an embedding and a step."""
        return self.out(jax.nn.relu(self.hidden(jax.nn.relu(self.task(m)[:, :, None] + self.step(x)[:, None]))))


def predictable(encoder: Encoder) -> bool:
    """Whether next observations are worth predicting: those of images are not (that is a task of its own)."""
    return not isinstance(encoder, Image)


def log_likelihood(
    encoder: Encoder, said: Float[Array, "*batch size"], seen: Float[Array, "*batch size"]
) -> Float[Array, "*batch"]:
    """log p(observation), up to a constant.

    Args:
        encoder: that of the observations; one-hots have a categorical distribution each, numbers a normal one of
            variance 1 in the units that the encoder brings them to.
        said: logits or means.
        seen: the observation's features.
    """
    if not isinstance(encoder, OneHot):
        return -0.5 * ((said - seen) ** 2).sum(axis=-1)
    ends = [sum(encoder.sizes[: i + 1]) for i in range(len(encoder.sizes) - 1)]
    logs = [jax.nn.log_softmax(part) for part in jnp.split(said, ends, axis=-1)]
    return (jnp.concatenate(logs, axis=-1) * seen).sum(axis=-1)
