import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.rl.policy_gradient import advantages, clipped_loss, normalise

REWARDS, VALUES = [1.0, 2.0, 4.0], [10.0, 20.0, 30.0, 40.0]
ERRORS = [1 + 0.5 * 20 - 10, 2 + 0.5 * 30 - 20, 4 - 30]


@pytest.mark.parametrize(
    ("discounts", "lambda_", "expected"),
    [
        # λ = 0: one-step errors.
        ([0.5, 0.5, 0], 0.0, ERRORS),
        # λ = 1: the discounted rewards less the value.
        ([0.5, 0.5, 0], 1.0, [1 + 0.5 * 2 + 0.25 * 4 - 10, 2 + 0.5 * 4 - 20, 4 - 30]),
        # Between.
        ([0.5, 0.5, 0], 0.5, [1 + 0.25 * (-3 + 0.25 * -26), -3 + 0.25 * -26, -26]),
        # Step 1 ended the return: nothing later reaches it.
        ([0.5, 0, 0], 1.0, [1 + 0.5 * 2 - 10, 2 - 20, 4 - 30]),
        # The last step did not end the return: it goes on with the value after it.
        ([0, 0, 0.5], 1.0, [1 - 10, 2 - 20, 4 + 0.5 * 40 - 30]),
    ],
)
def test_advantages_by_hand(discounts, lambda_, expected):
    rewards, discounts, values = (jnp.array(x, jnp.float32) for x in (REWARDS, discounts, VALUES))
    np.testing.assert_allclose(advantages(rewards, discounts, values, lambda_), expected, rtol=1e-6)


def test_the_clipped_loss_by_hand():
    ratio, advantage = np.array([1.0, 1.5, 0.5, 1.5, 0.5, 9.0]), np.array([2.0, 2.0, 2.0, -2.0, -2.0, 100.0])
    mask = jnp.array([True] * 5 + [False])
    # Gains are cut at 1.2, losses at 0.8 on their way down; what is worse than that counts in full.
    worth = [2, 1.2 * 2, 0.5 * 2, 1.5 * -2, 0.8 * -2]
    found = clipped_loss(jnp.log(ratio), jnp.zeros(6), jnp.asarray(advantage), mask, 0.2)
    assert found == pytest.approx(-np.mean(worth), rel=1e-5)


def test_a_gain_beyond_the_clip_has_no_slope():
    slope = jax.grad(lambda x: clipped_loss(x, jnp.zeros(3), jnp.array([1.0, -1.0, 1.0]), jnp.ones(3, bool), 0.2))
    found = slope(jnp.log(jnp.array([1.5, 0.5, 1.1])))
    np.testing.assert_allclose(found, [0, 0, -1.1 / 3], rtol=1e-5)


@pytest.mark.slow
def test_normalised_over_the_steps_that_took_place():
    found = normalise(jnp.array([[1.0, 3.0], [5.0, 99.0]]), jnp.array([[True, True], [True, False]]))
    np.testing.assert_allclose(found, [[-1.2247, 0], [1.2247, 0]], atol=1e-4)
    assert (normalise(jnp.ones((2, 2)), jnp.zeros((2, 2), bool)) == 0).all()
