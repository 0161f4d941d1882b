import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.rl.actions import chosen
from scoutrl.rl.q_learning import masked_mean, q_lambda_targets, q_loss

REWARDS, VALUES = [1.0, 2.0, 4.0], [10.0, 20.0, 30.0]


@pytest.mark.parametrize(
    ("discounts", "traces", "targets"),
    [
        # λ = 0: one step and the value.
        ([0.5, 0.5, 0.5], [0, 0, 0], [1 + 5, 2 + 10, 4 + 15]),
        # λ = 1: all rewards, and the value after the last step.
        ([0.5, 0.5, 0.5], [1, 1, 0], [1 + 0.5 * (2 + 0.5 * 19), 2 + 0.5 * 19, 19]),
        # Between: half of each.
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0], [1 + 0.5 * (0.5 * 11.75 + 5), 2 + 0.5 * (0.5 * 19 + 10), 19]),
        # The action after step 0 was not greedy: nothing later reaches its target.
        ([0.5, 0.5, 0.5], [0, 1, 0], [6, 2 + 0.5 * 19, 19]),
        # Step 1 ended the return: neither its value nor what comes later counts.
        ([0.5, 0, 0.5], [1, 1, 0], [1 + 0.5 * 2, 2, 19]),
        ([0, 0, 0], [1, 1, 1], REWARDS),
    ],
)
def test_targets_by_hand(discounts, traces, targets):
    arrays = (jnp.array(x, jnp.float32) for x in (REWARDS, discounts, VALUES, traces))
    np.testing.assert_allclose(q_lambda_targets(*arrays), targets, rtol=1e-6)


def example(mask=(True, True, False)):
    """One episode of three steps, two actions: greedy, not greedy, greedy."""
    q = jnp.array([[[3.0, 1.0], [0.0, 2.0], [5.0, 4.0]]])
    return {
        "q": q,
        "values": jnp.array([VALUES]),
        "rewards": jnp.array([REWARDS]),
        "discounts": jnp.full((1, 3), 0.5),
        "actions": jnp.array([[0, 0, 0]]),
        "mask": jnp.array([mask]),
    }


def loss_of(q, actions, **rest):
    return q_loss(q=chosen(q[..., None, :], actions[..., None]), follow=q.argmax(axis=-1) == actions, **rest)


loss = jax.jit(loss_of)
gradient = jax.jit(jax.grad(lambda q, rest: loss_of(q=q, **rest)))


def test_the_loss_by_hand():
    # The action after step 0 is not greedy, that after step 1 is.
    everything = example(mask=(True, True, True))
    errors = np.array([3 - 6, 0 - (2 + 0.5 * (0.5 * 19 + 0.5 * 20)), 5 - 19])
    assert loss(**everything, lambda_=0.5) == pytest.approx((errors**2).mean())
    # Where the last step did not take place, the return ends in the value after step 1.
    errors = np.array([3 - 6, 0 - (2 + 0.5 * 20)])
    assert loss(**example(), lambda_=0.5) == pytest.approx((errors**2).mean())


def test_steps_that_did_not_take_place_do_not_count():
    first = example()
    later = {"q": 7.0, "values": -3.0, "rewards": 100.0, "discounts": 0.0}
    second = first | {name: first[name].at[:, 2].set(value) for name, value in later.items()}
    second["actions"] = first["actions"].at[:, 2].set(1)
    assert loss(**first, lambda_=0.9) == loss(**second, lambda_=0.9)
    assert loss(**example(mask=(False,) * 3), lambda_=0.9) == 0


def test_the_loss_moves_the_values_of_the_actions_taken_only():
    rest = example() | {"lambda_": 0.5}
    moved = np.asarray(gradient(rest.pop("q"), rest))[0]
    np.testing.assert_allclose(moved, [[-3, 0], [-12, 0], [0, 0]], rtol=1e-6)


def test_masked_mean():
    x = jnp.array([[1.0, 2.0], [3.0, 50.0]])
    assert masked_mean(x, jnp.array([[True, True], [True, False]])) == 2
    assert masked_mean(x, jnp.zeros((2, 2), bool)) == 0
