"""Errors of predictors: squares of numbers, log-likelihoods of what is discrete."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.nn.encoders import encoder_for
from scoutrl.nn.init import generator
from scoutrl.nn.prediction import Decoder, Predictor, log_likelihood, predictable
from scoutrl.nn.recurrent import TransitionFeatures

RNG = generator(jax.random.key(0))


def constant(observation: int, after: list[float], reward: float) -> Predictor:
    """A predictor that says the same of everything."""
    silent = jax.tree.map(jnp.zeros_like, Predictor(observation, 2, 1, 3, observation, RNG))
    biases = lambda p: (p.after.bias, p.reward.bias)  # noqa: E731
    return eqx.tree_at(biases, silent, (jnp.array(after), jnp.array([reward])))


def transitions(after) -> TransitionFeatures:
    return TransitionFeatures(jnp.zeros((1, len(after))), jnp.zeros((1, 2)), jnp.ones(1), jnp.asarray([after]))


@pytest.mark.slow
def test_discrete_observations():
    """Two integers of 2 and 3 values: probabilities (3/4, 1/4) and (1/6, 1/3, 1/2). The reward 1 is taken for 1/2."""
    encoder = encoder_for(gymnasium.spaces.MultiDiscrete([2, 3]), RNG)
    predictor = constant(5, np.log([3, 1, 1, 2, 3]).tolist(), 0.5)
    seen = encoder(jnp.array([0, 1]))
    error = predictor.error(encoder, transitions(seen), jnp.zeros((1, 1)))
    np.testing.assert_allclose(error, -2 * np.log(3 / 4 * 1 / 3) + 0.25, rtol=1e-5)


def test_numbers():
    encoder = encoder_for(gymnasium.spaces.Box(-1, 1, (2,)), RNG)
    error = constant(2, [0.5, 0.0], 1.0).error(encoder, transitions([1.0, -2.0]), jnp.zeros((1, 1)))
    np.testing.assert_allclose(error, 0.25 + 4)


def test_what_is_predicted_is_no_matter_of_learning():
    """An encoder that learns must not be drawn to what is easily predicted."""
    encoder = encoder_for(gymnasium.spaces.Box(-1, 1, (2,)), RNG)
    predictor = constant(2, [0.5, 0.0], 1.0)
    slope = jax.grad(lambda after: predictor.error(encoder, transitions(after), jnp.zeros((1, 1)))[0])
    np.testing.assert_array_equal(slope(jnp.ones(2)), 0)


@pytest.mark.slow
def test_every_step_is_predicted_by_every_embedding():
    decoder = Decoder(3, 4, 8, 2, RNG)
    m, x = (jax.random.normal(jax.random.key(i), shape) for i, shape in [(1, (2, 5, 3)), (2, (2, 6, 4))])
    said = decoder(m, x)
    assert said.shape == (2, 5, 6, 2)
    one = decoder.out(jax.nn.relu(decoder.hidden(jax.nn.relu(decoder.task(m[1, 2]) + decoder.step(x[1, 4])))))
    np.testing.assert_allclose(said[1, 2, 4], one, rtol=1e-5)


def test_whole_numbers_have_a_categorical_distribution_each():
    encoder = encoder_for(gymnasium.spaces.MultiDiscrete([2, 3]), RNG)
    said = jnp.log(jnp.array([0.25, 0.75, 0.2, 0.3, 0.5])) + jnp.array([1.0, 1, 5, 5, 5])
    found = log_likelihood(encoder, said, encoder(jnp.array([1, 2])))
    np.testing.assert_allclose(found, np.log(0.75 * 0.5), rtol=1e-5)


def test_numbers_have_squared_errors_and_images_are_not_predicted():
    encoder = encoder_for(gymnasium.spaces.Box(-1, 1, (2,), np.float32), RNG)
    assert log_likelihood(encoder, jnp.array([1.0, 2.0]), jnp.array([0.0, 0.0])) == -2.5
    assert predictable(encoder)
    assert not predictable(encoder_for(gymnasium.spaces.Box(0, 255, (4, 4, 3), np.uint8), RNG))
