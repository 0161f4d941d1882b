"""Random actions that are held for a while."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box

from scoutrl.nn.init import generator
from scoutrl.rl.held import KEPT, LEAST, HeldActions
from scoutrl.rl.q_lambda import QLambda

SPACE = Box(np.array([-1, 0], np.float32), np.array([1, 8], np.float32))
KEYS = jax.random.split(jax.random.key(0), 4000)


def drawn(learner: QLambda, least: float, most: float = 1.0) -> HeldActions:
    head = learner.head(3, SPACE, generator(jax.random.key(0)))
    return jax.jit(jax.vmap(lambda key: learner.bound(learner.noise(key, head), least, most)))(KEYS)  # type: ignore


@pytest.mark.parametrize("least", [0.0, 0.4, 1.0])
def test_a_share_of_the_trials_is_random_altogether(least):
    noise = drawn(QLambda(epsilon_low=0.1, epsilon_high=0.3), least, 0.2)
    assert float(noise.wanders.mean()) == pytest.approx(max(least, LEAST), abs=0.03)
    assert float(noise.epsilon.max()) == pytest.approx(0.2)
    assert float(noise.epsilon.min()) == pytest.approx(0.1, abs=0.01)


def test_a_held_action_lasts_and_the_next_one_is_drawn_evenly():
    noise = drawn(QLambda(), 1.0)
    later = jax.jit(jax.vmap(lambda noise: noise.advance()))(noise)
    same = np.asarray((later.place == noise.place).all(axis=1))
    assert same.mean() == pytest.approx(KEPT, abs=0.02)
    changed = np.asarray(later.place)[~same]
    assert changed.mean() == pytest.approx(0.5, abs=0.05)
    assert changed.var() == pytest.approx(1 / 12, abs=0.02)


@pytest.mark.slow
def test_trials_that_wander_do_what_is_held_and_greedy_ones_nothing_of_it():
    learner = QLambda(bins=3)
    head = learner.head(3, SPACE, generator(jax.random.key(0)))
    noise, outputs = drawn(learner, 1.0), head(jnp.ones(3))
    acted = jax.jit(jax.vmap(lambda noise, key: learner.act(outputs, noise, key, False)))(noise, KEYS)
    bins = np.minimum(np.floor(np.asarray(noise.place) * 3), 2)
    np.testing.assert_allclose(acted, SPACE.low + bins / 2 * (SPACE.high - SPACE.low))
    greedy = jax.vmap(lambda noise, key: learner.act(outputs, noise, key, True))(noise, KEYS)
    assert len(np.unique(np.asarray(greedy), axis=0)) == 1
