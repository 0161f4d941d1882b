"""Errors of predictors: squares of numbers, log-likelihoods of what is discrete."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.nn.encoders import encoder_for
from scoutrl.nn.history import Transitions
from scoutrl.nn.prediction import Predictor


def constant(observation: int, after: list[float], reward: float) -> Predictor:
    """A predictor that says the same of everything."""
    silent = jax.tree.map(jnp.zeros_like, Predictor(observation, 2, 1, 3))
    biases = lambda p: (p.after.bias, p.reward.bias)  # noqa: E731
    return eqx.tree_at(biases, silent, (jnp.array(after), jnp.array([reward])))


def transitions(after) -> Transitions:
    return Transitions(jnp.zeros((1, len(after))), jnp.zeros((1, 2)), jnp.ones(1), jnp.asarray([after]))


def test_discrete_observations():
    """Two integers of 2 and 3 values: probabilities (3/4, 1/4) and (1/6, 1/3, 1/2). The reward 1 is taken for 1/2."""
    encoder = encoder_for(gymnasium.spaces.MultiDiscrete([2, 3]))
    predictor = constant(5, np.log([3, 1, 1, 2, 3]).tolist(), 0.5)
    seen = encoder(jnp.array([0, 1]))
    error = predictor.error(encoder, transitions(seen), jnp.zeros((1, 1)))
    np.testing.assert_allclose(error, -2 * np.log(3 / 4 * 1 / 3) + 0.25, rtol=1e-5)


def test_numbers():
    encoder = encoder_for(gymnasium.spaces.Box(-1, 1, (2,)))
    error = constant(2, [0.5, 0.0], 1.0).error(encoder, transitions([1.0, -2.0]), jnp.zeros((1, 1)))
    np.testing.assert_allclose(error, 0.25 + 4)


def test_what_is_predicted_is_no_matter_of_learning():
    """An encoder that learns must not be drawn to what is easily predicted."""
    encoder = encoder_for(gymnasium.spaces.Box(-1, 1, (2,)))
    predictor = constant(2, [0.5, 0.0], 1.0)
    slope = jax.grad(lambda after: predictor.error(encoder, transitions(after), jnp.zeros((1, 1)))[0])
    np.testing.assert_array_equal(slope(jnp.ones(2)), 0)
