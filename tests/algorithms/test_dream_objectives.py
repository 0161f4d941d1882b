"""DREAM's objectives, worked out by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import quick_jit, small
from hypothesis import given, settings
from hypothesis import strategies as st
from probes.rooms import Rooms

from scoutrl.algorithms.dream.dream import belief_shift, information_gain
from scoutrl.algorithms.dream.networks import DreamNetworks
from scoutrl.nn.init import generator
from scoutrl.trials import replay as ring
from scoutrl.trials.encode import EncodedEpisodes
from scoutrl.trials.sequences import Transitions

STEPS = 4
SEEN = 5
"""Observations of `Rooms`."""
NO_MEMORY = jnp.zeros((1, STEPS + 1, 1))
"""The decoder's, which an explorer with a memory of its own does not read."""
KEY = jax.random.key(0)


def played(lengths) -> Transitions:
    """Exploration of that many steps: observation t before step t, and action 0 always."""
    mask = jnp.asarray(np.arange(STEPS) < np.array(lengths)[:, None])
    before, after = (jnp.broadcast_to(jnp.eye(STEPS, SEEN, offset), (*mask.shape, SEEN)) for offset in (0, 1))
    return Transitions(before, jnp.zeros(mask.shape, jnp.int32), jnp.zeros(mask.shape), after, mask, mask)


def valuing(value: float = 0.0, seen=(0.0,) * SEEN, advantages=(0.0,) * 4) -> DreamNetworks:
    """Networks with this value and these advantages everywhere; the explorer's value is of what is seen besides."""
    networks = small(width=SEEN).networks(Rooms(), generator(jax.random.key(0)))
    explorer = lambda n: n.actors.explorer  # noqa: E731
    for head in (lambda n: explorer(n).head, lambda n: n.actors.policy.head):
        networks = eqx.tree_at(head, networks, jax.tree.map(jnp.zeros_like, head(networks)))
        biases = lambda n, head=head: (head(n).value.bias, head(n).advantage.bias)  # noqa: E731
        networks = eqx.tree_at(biases, networks, (jnp.full(1, value), jnp.array(advantages)))
    # The explorer's last hidden layer is the observation, which comes after the memory.
    mix = explorer(networks).mix.weight
    weights = lambda n: (explorer(n).mix.weight, explorer(n).head.value.weight)  # noqa: E731
    return eqx.tree_at(weights, networks, (jnp.eye(*mix.shape, SEEN - len(mix)), jnp.array(seen)[:, None]))  # type: ignore


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e3, width=32), min_size=2 * (STEPS + 1), max_size=2 * (STEPS + 1)))
def test_without_a_cost_the_gains_add_up_to_the_whole_drop_in_distance(numbers):
    distance = np.array(numbers, np.float32).reshape(2, STEPS + 1)
    gains = np.asarray(gain(distance))
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


@pytest.mark.parametrize(("prioritised", "weighted", "guess"), [(0, True, 0), (150, True, 0), (150, False, 0.5)])
def test_before_anything_is_seen_the_decoder_s_best_guess_is_the_mean_of_f(prioritised, weighted, guess):
    """f is -1, -1 and 2 in three problems, and the last is drawn more often for having a high priority."""
    f = jnp.array([-1.0, -1.0, 2.0])
    replay = ring.Replay(trials=jnp.arange(3), priority=jnp.array([0.0, 0, 9]), added=jnp.int32(3))  # type: ignore
    rows, weights = ring.draw(replay, jnp.ones(3), 600, 0, prioritised, jax.random.key(0))
    nothing = played([0] * 600)

    def loss(g):
        distance = jnp.zeros((600, STEPS + 1)).at[:, 0].set((f[rows] - g) ** 2)
        return small().decoder_loss(distance, nothing, weights if weighted else None)

    best = -jax.grad(loss)(0.0) / jax.grad(jax.grad(loss))(0.0)
    assert best == pytest.approx(guess, abs=4 * (2 / 600) ** 0.5)


@pytest.mark.slow
def test_the_explorer_s_targets_are_the_information_still_to_come_less_its_cost():
    """With γ = λ = 1 and values of nothing the target of a step is the sum of all later rewards."""
    dream = small(discount=1.0, lambda_=1.0)
    distance = jnp.array([[9.0, 5.0, 6.0, 77.0, 33.0], [7.0, 7.0, 1.0, 1.0, 0.0]])
    cost, gains = 0.25, np.array([[4, -1, 0, 0], [0, 6, 0, 1]])
    expected = []
    for gained, length in zip(gains, (2, 4), strict=True):
        expected += [(sum(gained[t:length]) - cost * (length - t)) ** 2 for t in range(length)]
    explored, nothing = played([2, 4]), valuing()
    rewards = dream.exploration_rewards(distance, explored)
    loss = quick_jit(dream.explorer_loss)(nothing, nothing, rewards, explored, NO_MEMORY, jnp.float32(cost), KEY)
    assert loss == pytest.approx(np.mean(expected), rel=1e-4)


@pytest.mark.slow
def test_exploring_on_into_another_episode_counts_the_value_there():
    """One step of look-ahead, λ = 0: the target's value of the next lived step, whichever episode it is in."""
    dream = small(discount=0.5, lambda_=0.0)
    # Action 1 is the best, action 0 is the one taken and worth nothing.
    networks, targets = valuing(0.25, advantages=(0.0, 1.0, 0.0, 0.0)), valuing(seen=(0.0, 8.0, 6.0, 4.0, 0.0))
    rewards, cost = jnp.zeros((1, STEPS)), jnp.float32(0)
    loss = quick_jit(dream.explorer_loss)(networks, targets, rewards, played([3]), NO_MEMORY, cost, KEY)
    assert loss == pytest.approx(np.mean([4.0**2, 3.0**2, 0]))


@pytest.mark.slow
def test_the_return_goes_on_until_it_is_ended():
    dream = small(discount=0.5, lambda_=1.0)
    mask = jnp.ones((1, 2, 2), bool)
    ended = jnp.array([[[False, True], [False, False]]])
    seen, actions = jnp.zeros((1, 2, 3, SEEN)).at[..., 0].set(1), jnp.zeros((1, 2, 2), jnp.int32)
    lived = EncodedEpisodes(seen, actions, jnp.ones((1, 2, 2)), ended, mask, jnp.zeros((1, 2), jnp.int32), None)
    loss = quick_jit(dream.policy_loss)(valuing(), valuing(10.0), lived, jnp.zeros((1, dream.z)), KEY)
    targets = [1 + 0.5 * 1, 1, 1 + 0.5 * (1 + 0.5 * 10), 1 + 0.5 * 10]
    assert loss == pytest.approx(np.mean(np.square(targets)))


@pytest.mark.slow
def test_how_far_a_trial_moved_the_belief():
    g = jnp.array([[[0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [9.0, 9.0], [9.0, 9.0]], [[1.0, 0.0]] * 5])
    np.testing.assert_allclose(belief_shift(g, played([2, 4])), [2, 0])
    np.testing.assert_allclose(belief_shift(g, played([0, 0])), [0, 0])
