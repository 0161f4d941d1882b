"""DREAM's objectives, worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import small
from hypothesis import given, settings
from hypothesis import strategies as st

from scoutrl.algorithms.dream.dream import belief_shift, information_gain
from scoutrl.trials.sequences import Transitions
from scoutrl.trials.trial import Episodes

STEPS = 4


def played(lengths) -> Transitions:
    mask = np.arange(STEPS) < np.array(lengths)[:, None]
    zeros = np.zeros(mask.shape, np.int32)
    return Transitions(zeros, zeros, zeros.astype(np.float32), zeros, mask)  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e3, width=32), min_size=2 * (STEPS + 1), max_size=2 * (STEPS + 1)))
def test_without_a_cost_the_gains_add_up_to_the_whole_drop_in_distance(numbers):
    distance = np.array(numbers, np.float32).reshape(2, STEPS + 1)
    unit = distance[:, 0].mean() + 1e-3
    gains = np.asarray(gain(distance)) * unit
    tolerance = 1e-5 * distance.max() + 1e-6
    for t in range(STEPS + 1):
        np.testing.assert_allclose(gains[:, :t].sum(axis=1), distance[:, 0] - distance[:, t], atol=tolerance)


gain = jax.jit(information_gain)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"bottleneck": "linear"}, 0.5 * (25 + 1) / 2 / (2 * 0.2**2)),
        ({"bottleneck": "hinge", "hinge_threshold": 10.0}, 0.5 * (15 + 0) / 2 / (2 * 0.2**2)),
        ({"bottleneck": "hinge", "hinge_threshold": 0.0}, 0.5 * (25 + 1) / 2 / (2 * 0.2**2)),
        ({"bottleneck": "hinge", "hinge_threshold": 30.0}, 0),
        ({"bottleneck": "none"}, 0),
        ({"bottleneck": "linear", "bottleneck_weight": 0.0}, 0),
    ],
)
def test_the_forms_of_the_bottleneck(settings, expected):
    dream = small(**({"rho": 0.2, "bottleneck_weight": 0.5} | settings))
    f = jnp.array([[3.0, 4.0], [1.0, 0.0]])
    assert dream.bottleneck_loss(f) == pytest.approx(expected)
    slope = jax.grad(dream.bottleneck_loss)(f)
    assert bool(jnp.any(slope)) == (expected > 0)


def test_the_decoder_learns_on_every_prefix_that_was_lived():
    distance = jnp.array([[1.0, 2.0, 4.0, 100.0, 100.0], [8.0, 5.0, 4.0, 3.0, 1.0]])
    expected = np.mean([1, 2, 4, 8, 5, 4, 3, 1])
    assert small().decoder_loss(distance, played([2, 4])) == pytest.approx(expected)


def test_the_explorer_s_targets_are_the_information_still_to_come_less_its_cost():
    """With γ = λ = 1 and values of nothing the target of a step is the sum of all later rewards."""
    dream = small(discount=1.0, trace=1.0)
    distance = jnp.array([[9.0, 5.0, 6.0, 77.0, 33.0], [7.0, 7.0, 1.0, 1.0, 0.0]])
    unit, cost = 8.0 + 1e-3, 0.25
    gains = np.array([[4, -1, 0, 0], [0, 6, 0, 1]]) / unit
    expected = []
    for gained, length in zip(gains, (2, 4), strict=True):
        expected += [(sum(gained[t:length]) - cost * (length - t)) ** 2 for t in range(length)]
    q = jnp.zeros((2, STEPS, 3))
    loss = dream.explorer_loss(distance, q, q, played([2, 4]), jnp.float32(cost))
    assert loss == pytest.approx(np.mean(expected), rel=1e-4)


def test_exploring_on_into_another_episode_counts_the_value_there():
    """One step of look-ahead, λ = 0: the judge's value of the next lived step, whichever episode it is in."""
    dream = small(discount=0.5, trace=0.0)
    q = jnp.zeros((1, STEPS, 2)).at[..., 1].set(1.0)
    judge = jnp.array([[[0.0, 0.0], [0.0, 8.0], [0.0, 6.0], [0.0, 4.0]]])
    loss = dream.explorer_loss(jnp.zeros((1, STEPS + 1)), q, judge, played([3]), jnp.float32(0))
    assert loss == pytest.approx(np.mean([4.0**2, 3.0**2, 0]))


def test_time_running_out_does_not_end_the_return_but_a_termination_does():
    dream = small(discount=0.5, trace=1.0)
    mask = np.ones((2, 2), bool)
    terminated = np.array([[False, True], [False, False]])
    zeros = np.zeros((2, 2), np.int32)
    lived = Episodes(np.zeros((2, 3)), zeros, np.ones((2, 2), np.float32), terminated, mask, None)  # type: ignore[arg-type]
    q, judge = jnp.zeros((2, 3, 2)), jnp.full((2, 3, 2), 10.0)
    targets = [1 + 0.5 * 1, 1, 1 + 0.5 * (1 + 0.5 * 10), 1 + 0.5 * 10]
    assert dream.policy_loss(q, judge, lived) == pytest.approx(np.mean(np.square(targets)))


def test_how_far_a_trial_moved_the_belief():
    g = jnp.array([[[0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [9.0, 9.0], [9.0, 9.0]], [[1.0, 0.0]] * 5])
    np.testing.assert_allclose(belief_shift(g, played([2, 4])), [2, 0])
    np.testing.assert_allclose(belief_shift(g, played([0, 0])), [0, 0])
