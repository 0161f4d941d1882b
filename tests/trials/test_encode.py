"""Only the pictures that were seen are encoded, and the result is as if all had been."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from scoutrl.nn.encoders import encoder_for
from scoutrl.nn.init import generator
from scoutrl.trials.encode import encode_observations, features_of
from scoutrl.trials.trial import Episodes

PICTURES = Box(0, 255, (5, 7, 3), np.uint8)
encoder = encoder_for(PICTURES, generator(jax.random.key(0)))


def pictures(count: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(count).integers(0, 256, (count, 5, 7, 3), np.uint8))


@jax.jit
def features(weights, frames, wanted):
    return features_of(weights, frames, wanted)


def plain(weights, frames, wanted):
    return jnp.where(wanted[:, None], weights(frames), 0.0)


def wish(count: int, share: float) -> jax.Array:
    return jnp.asarray(np.random.default_rng(1).random(count) < share)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "share"), [(1, 1.0), (40, 0.5), (64, 1.0), (100, 0.3), (70, 0.0)])
def test_features_are_those_of_the_pictures_wanted(count, share):
    frames, wanted = pictures(count), wish(count, share)
    np.testing.assert_allclose(features(encoder, frames, wanted), plain(encoder, frames, wanted), atol=1e-6)


@pytest.mark.parametrize(("count", "share"), [(40, 0.5), (100, 0.3), (70, 0.0)])
def test_the_gradient_is_that_of_the_pictures_wanted(count, share):
    frames, wanted = pictures(count), wish(count, share)
    weight = jnp.asarray(np.random.default_rng(2).normal(size=(count, encoder.size)), jnp.float32)

    def slope(function):
        loss = lambda weights: (weight * function(weights, frames, wanted) ** 2).sum()  # noqa: E731
        return eqx.filter_jit(eqx.filter_grad(loss))(encoder)

    ours, theirs = (jax.tree.leaves(slope(function)) for function in (features_of, plain))
    assert len(ours) == len(theirs) == 8
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * (1 + np.abs(b).max()))


@pytest.mark.slow
def test_several_batches_at_once():
    frames, wanted = pictures(120).reshape(3, 40, 5, 7, 3), wish(120, 0.4).reshape(3, 40)
    together = jax.jit(jax.vmap(features_of, (None, 0, 0)))(encoder, frames, wanted)
    for i in range(3):
        np.testing.assert_allclose(together[i], plain(encoder, frames[i], wanted[i]), atol=1e-6)


@pytest.mark.slow
def test_the_first_picture_of_an_episode_and_those_after_steps_taken_are_seen():
    mask = jnp.array([[[True, True, False]], [[True, False, False]]])
    frames = pictures(8).reshape(2, 1, 4, 5, 7, 3)
    zeros = jnp.zeros((2, 1, 3))
    episodes = Episodes(frames, zeros, zeros, zeros > 0, mask, None)
    shown = np.asarray(encode_observations(encoder, episodes).features)
    assert shown.shape == (2, 1, 4, encoder.size)
    assert (np.abs(shown).max(axis=-1) > 0).tolist() == [[[True, True, True, False]], [[True, True, False, False]]]
    np.testing.assert_allclose(shown[0, 0, 2], encoder(frames[0, 0, 2]), rtol=1e-5, atol=1e-6)


def test_what_is_no_picture_is_encoded_all_at_once():
    one_hot = encoder_for(Discrete(3), generator(jax.random.key(0)))
    zeros = jnp.zeros((1, 1, 1))
    episodes = Episodes(jnp.array([[[2, 1]]]), zeros, zeros, zeros > 0, zeros > 0, None)
    assert encode_observations(one_hot, episodes).features.tolist() == [[[[0, 0, 1], [0, 1, 0]]]]
