import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box, MultiDiscrete

from scoutrl.nn.dense import randomise
from scoutrl.nn.encoders import encoder_for
from scoutrl.nn.prediction import Prediction, log_likelihood, predictable


def test_every_step_is_predicted_by_every_embedding():
    prediction = randomise(Prediction(3, 4, 8, 2), jax.random.key(0))
    m, x = (jax.random.normal(jax.random.key(i), shape) for i, shape in [(1, (2, 5, 3)), (2, (2, 6, 4))])
    said = prediction(m, x)
    assert said.shape == (2, 5, 6, 2)
    one = prediction.out(jax.nn.relu(prediction.task(m[1, 2]) + prediction.step(x[1, 4])))
    np.testing.assert_allclose(said[1, 2, 4], one, rtol=1e-5)


def test_whole_numbers_have_a_categorical_distribution_each():
    encoder = encoder_for(MultiDiscrete([2, 3]))
    said = jnp.log(jnp.array([0.25, 0.75, 0.2, 0.3, 0.5])) + jnp.array([1.0, 1, 5, 5, 5])
    found = log_likelihood(encoder, said, encoder(jnp.array([1, 2])))
    np.testing.assert_allclose(found, np.log(0.75 * 0.5), rtol=1e-5)


def test_numbers_have_squared_errors_and_images_are_not_predicted():
    encoder = encoder_for(Box(-1, 1, (2,), np.float32))
    assert log_likelihood(encoder, jnp.array([1.0, 2.0]), jnp.array([0.0, 0.0])) == -2.5
    assert predictable(encoder)
    assert not predictable(encoder_for(Box(0, 255, (4, 4, 3), np.uint8)))
