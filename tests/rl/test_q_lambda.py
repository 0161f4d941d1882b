"""Q(λ) for one number an action, and for several at once; one number is the special case of one component."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from scoutrl.errors import ScoutError
from scoutrl.nn.init import generator
from scoutrl.rl.actions import NEVER
from scoutrl.rl.learner import Steps
from scoutrl.rl.q_lambda import QHead, QLambda

KEY = jax.random.key(0)
UNEQUAL = MultiDiscrete([2, 5, 3])
JUNK = 99.0
"""Stands where a component has no such choice; it must not count."""


def drawn(space, features: int, seed: int = 0) -> QHead:
    return QLambda().head(features, space, generator(jax.random.key(seed)))


def given(space, value, advantage) -> QHead:
    """A head whose V and A are these rows where the features are one-hots of the row."""
    head = drawn(space, len(value))
    weights = jnp.asarray(value, jnp.float32)[:, None], jnp.asarray(advantage, jnp.float32).reshape(len(value), -1)
    return eqx.tree_at(lambda h: (h.value.weight, h.advantage.weight), head, weights)


def acted(learner, head, features, noise, count=1, greedy=False) -> np.ndarray:
    @jax.jit
    def act(head, features, noise):
        outputs, keys = head(features), jax.random.split(jax.random.key(1), count)
        return jax.vmap(lambda key: learner.act(outputs, noise, key, greedy))(keys)

    return np.asarray(act(head, features, jnp.float32(noise)))


def test_q_of_several_numbers_is_the_mean_of_their_utilities():
    """V = 10; A = 1, 3 less their mean 2, and A = 0, 3, 6 less their mean 3."""
    head = given(MultiDiscrete([2, 3]), [10], [[[1, 3, JUNK], [0, 3, 6]]])
    utilities = head(jnp.ones(1)).utilities
    np.testing.assert_allclose(utilities, [[9, 11, NEVER], [7, 10, 13]])
    assert acted(QLambda(), head, jnp.ones(1), 0, greedy=True).tolist() == [[1, 2]]
    # One step, action (1, 0), reward 0, then a state worth (11 + 13) / 2: Q = (11 + 7) / 2.
    steps = Steps(jnp.array([[[1, 0]]]), jnp.zeros((1, 1)), jnp.full((1, 1), 0.5), jnp.ones((1, 1), bool))
    features = jnp.ones((1, 2, 1))
    loss, metrics = jax.jit(QLambda().loss)(head, head, features, features, steps, KEY)
    assert loss == pytest.approx((9 - 0.5 * 12) ** 2)
    assert not metrics


@pytest.mark.parametrize(
    ("second", "q", "target"), [([1, 2], 2, 1 + 0.5 * 4.5), ([1, 1], 0.5, 1 + 0.5 * 2), ([0, 2], 1, 1 + 0.5 * 2)]
)
def test_the_return_goes_on_only_after_an_action_whose_every_number_is_greedy(second, q, target):
    """Utilities are -1, 1 and -3, 0, 3 in all states, so that (1, 2) is the best action and worth 2."""
    head, features = given(MultiDiscrete([2, 3]), [0], [[[0, 2, JUNK], [0, 3, 6]]]), jnp.ones((1, 4, 1))
    actions, rewards = jnp.array([[[1, 2], second, [1, 2]]]), jnp.array([[1.0, 2.0, 4.0]])
    steps = Steps(actions, rewards, jnp.full((1, 3), 0.5), jnp.ones((1, 3), bool))
    found, _ = jax.jit(QLambda(lambda_=1.0).loss)(head, head, features, features, steps, KEY)
    # From the last step back: 4 + 0.5 * 2 = 5, then 2 + 0.5 * 5 = 4.5, then what the second action leaves of it.
    assert found == pytest.approx(((2 - target) ** 2 + (q - 4.5) ** 2 + (2 - 5) ** 2) / 3)


def test_where_the_return_can_be_ended_no_state_is_worth_less_and_nothing_there_is_followed():
    """Q of the best action is 2 in the first state, -4 in the second, 1 in the third."""
    head = given(Discrete(2), [1, -5, 0], [[1, -1], [1, -1], [1, -1]])
    features = jnp.eye(3)[jnp.array([[0, 1, 2, 2]])]
    steps = Steps(jnp.zeros((1, 3), int), jnp.full((1, 3), 3.0), jnp.full((1, 3), 0.5), jnp.ones((1, 3), bool))
    losses = {
        floor: jax.jit(QLambda(lambda_=1.0).loss)(head, head, features, features, replace(steps, floor=floor), KEY)[0]
        for floor in (None, 0.0)
    }
    # From the last step back: 3 + 0.5 * 1, then 3 + 0.5 * 3.5; then that again, or the floor.
    third, second = 3.5, 4.75
    first = {None: 3 + 0.5 * second, 0.0: 3.0}
    for floor, found in losses.items():
        assert found == pytest.approx(((2 - first[floor]) ** 2 + (-4 - second) ** 2 + (1 - third) ** 2) / 3)


def test_duelling_takes_the_mean_over_the_choices_of_each_component_and_state():
    head = drawn(UNEQUAL, 4)
    x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
    value, advantage = (x @ np.asarray(layer.weight) for layer in (head.value, head.advantage))
    found = np.asarray(eqx.filter_jit(head)(jnp.asarray(x)).utilities)
    assert found.shape == (2, 6, 3, 5)
    # A mean over the batch as well would let the values of one state depend on the others.
    for i, size in enumerate([2, 5, 3]):
        own = advantage.reshape(2, 6, 3, 5)[:, :, i, :size]
        expected = value + own - own.mean(axis=-1, keepdims=True)
        np.testing.assert_allclose(found[:, :, i, :size], expected, atol=1e-5)
        assert (found[:, :, i, size:] == np.float32(NEVER)).all()


def spiteful(features: int) -> QHead:
    """A head that thinks most of what the components do not have."""
    head = drawn(UNEQUAL, features)
    much = jnp.asarray(np.where(head.components.valid, 0, 1000.0).ravel(), jnp.float32)
    return eqx.tree_at(lambda h: h.advantage.bias, head, much)


def test_the_greedy_action_is_always_one_of_the_space():
    x = jax.random.normal(jax.random.key(0), (500, 4))
    actions = np.asarray(QLambda().act(spiteful(4)(x), jnp.float32(0), jax.random.key(1), True))
    assert actions.shape == (500, 3)
    assert (actions < UNEQUAL.nvec).all()
    assert [sorted(set(column.tolist())) for column in actions.T] == [[0, 1], [0, 1, 2, 3, 4], [0, 1, 2]]


def test_random_actions_are_all_those_of_the_space_each_as_likely():
    n = 30_000
    actions = acted(QLambda(), spiteful(4), jnp.ones(4), 1.0, n)
    assert (actions < UNEQUAL.nvec).all()
    joint = np.bincount(np.ravel_multi_index(tuple(actions.T), (2, 5, 3)), minlength=30) / n
    np.testing.assert_allclose(joint, 1 / 30, atol=4.5 * (1 / 30 / n) ** 0.5)


def test_each_number_is_drawn_at_random_by_itself():
    """With ε = 0.4 the greedy number of a component with k choices has the share 0.6 + 0.4 / k."""
    n, head = 20_000, spiteful(4)
    best = acted(QLambda(), head, jnp.ones(4), 0, greedy=True)[0]
    as_best = acted(QLambda(), head, jnp.ones(4), 0.4, n) == best
    shares = 0.6 + 0.4 / UNEQUAL.nvec
    np.testing.assert_allclose(as_best.mean(axis=0), shares, atol=4 * (0.25 / n) ** 0.5)
    assert as_best.all(axis=1).mean() == pytest.approx(shares.prod(), abs=4 * (0.25 / n) ** 0.5)


def test_what_a_component_does_not_have_is_not_learnt():
    head, features = spiteful(4), jax.random.normal(jax.random.key(0), (2, 4, 4))
    steps = Steps(jnp.ones((2, 3, 3), int), jnp.ones((2, 3)), jnp.full((2, 3), 0.9), jnp.ones((2, 3), bool))
    slope = jax.jit(jax.grad(lambda h: QLambda().loss(h, head, features, features, steps, KEY)[0]))(head)
    slope = np.asarray(slope.advantage.bias).reshape(3, 5)
    assert np.isfinite(slope).all()
    assert (slope[~head.components.valid] == 0).all()
    assert (slope[head.components.valid] != 0).all()


@pytest.mark.parametrize(("epsilon", "expected"), [(0.0, 1.0), (0.4, 0.6 + 0.1), (1.0, 0.25)])
def test_how_often_the_greedy_action_is_taken(epsilon, expected):
    n, head = 20_000, given(Discrete(4), [0], [[0, 2, 1, -1]])
    shares = np.bincount(acted(QLambda(), head, jnp.ones(1), epsilon, n), minlength=4) / n
    others = (1 - expected) / 3
    np.testing.assert_allclose(shares, [others, expected, others, others], atol=4 * (0.25 / n) ** 0.5 * (epsilon > 0))


def test_random_actions_are_drawn_by_their_weights():
    n, head = 20_000, given(Discrete(3), [0], [[0, 2, 1]])
    actions = acted(QLambda(random_actions=(0.0, 1.0, 3.0)), head, jnp.ones(1), 0.5, n)
    shares = np.bincount(actions, minlength=3) / n
    np.testing.assert_allclose(shares, [0, 0.5 + 0.125, 0.375], atol=4 * (0.25 / n) ** 0.5)
    assert shares[0] == 0


def test_the_share_of_random_actions_is_even_in_its_logarithm_and_can_be_bounded():
    learner = QLambda(epsilon_low=0.01, epsilon_high=0.5)
    head = drawn(Discrete(2), 1)
    noise = jax.vmap(lambda key: learner.noise(key, head))(jax.random.split(jax.random.key(0), 4000))
    assert np.quantile(np.asarray(noise), [0, 0.5, 1]) == pytest.approx([0.01, 0.005**0.5, 0.5], rel=0.1)
    bounded = np.asarray(learner.bound(noise, 0.1, 0.2))
    np.testing.assert_allclose(bounded, np.clip(noise, 0.1, 0.2))
    assert (learner.bound(noise, 1.0) == 1).all()


# One number an action is one component: the formulas of the first version of Scout, written as loops.

REWARDS = np.array([[1, 2, 4, 0], [0.5, -1, 3, 7]])
DISCOUNTS = np.array([[0.9, 0.9, 0.9, 0.9], [0.9, 0, 0.9, 0.9]])
ACTIONS = np.array([[0, 2, 1, 0], [1, 1, 2, 2]])
MASK = np.array([[True] * 4, [True, True, True, False]])


def heads(space) -> tuple[QHead, QHead]:
    """V and A of five states, as learnt and as averaged."""
    random = np.random.default_rng(3)
    return tuple(given(space, random.normal(size=5), random.normal(size=(5, 1, 3))) for _ in range(2))  # type: ignore[return-value]


def plain_q(head: QHead) -> np.ndarray:
    """Q(s, a) = V(s) + A(s, a) - mean of A(s, ·), [states, actions]."""
    value, advantage = (np.asarray(layer.weight, np.float64) for layer in (head.value, head.advantage))
    return value + advantage - advantage.mean(axis=1, keepdims=True)


def plain_loss(q: np.ndarray, target_q: np.ndarray, states: np.ndarray, lambda_: float) -> float:
    """Mean of (Q(s_t, a_t) - y_t)² over the steps that took place, y by its recursion."""
    errors = []
    for row, reward, discount, action, mask in zip(states, REWARDS, DISCOUNTS, ACTIONS, MASK, strict=True):
        later = target_q[row[-1], q[row[-1]].argmax()]
        for t in reversed(range(4)):
            value = target_q[row[t + 1], q[row[t + 1]].argmax()]
            goes_on = t < 3 and mask[t + 1] and q[row[t + 1]].argmax() == action[t + 1]
            trace = lambda_ if goes_on else 0.0
            later = reward[t] + discount[t] * (trace * later + (1 - trace) * value)
            if mask[t]:
                errors.append((q[row[t], action[t]] - later) ** 2)
    return float(np.mean(errors))


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("components", [False, True], ids=["Discrete", "MultiDiscrete"])
def test_one_component_has_the_q_values_and_the_loss_of_one_number(components, double):
    space = MultiDiscrete([3]) if components else Discrete(3)
    head, target = heads(space)
    np.testing.assert_allclose(head(jnp.eye(5)).utilities[:, 0], plain_q(head), atol=1e-5)
    states = np.array([[0, 1, 2, 3, 4], [2, 4, 0, 1, 3]])
    q, target_q = plain_q(head), plain_q(target if double else head)
    # The example has greedy actions and others among those that a trace could go through.
    assert {bool(q[states[i, t]].argmax() == ACTIONS[i, t]) for i in (0, 1) for t in (1, 2, 3)} == {True, False}
    features = jnp.asarray(np.eye(5, dtype=np.float32)[states])
    actions = jnp.asarray(ACTIONS[..., None] if components else ACTIONS)
    rest = (jnp.asarray(REWARDS, jnp.float32), jnp.asarray(DISCOUNTS, jnp.float32), jnp.asarray(MASK))
    for lambda_ in (0.0, 0.7, 1.0):
        learner = QLambda(lambda_=lambda_, double=double)
        found, _ = jax.jit(learner.loss)(head, target, features, features, Steps(actions, *rest), KEY)
        assert float(found) == pytest.approx(plain_loss(q, target_q, states, lambda_), rel=1e-5)


@pytest.mark.slow
def test_one_component_acts_as_one_number():
    (one, _), (several, _) = heads(Discrete(3)), heads(MultiDiscrete([3]))
    for row, greedy in [(0, True), (4, False)]:
        actions = [acted(QLambda(), head, jnp.eye(5)[row], 0.5, 50, greedy) for head in (one, several)]
        assert actions[0].shape == (50,)
        np.testing.assert_array_equal(actions[0][:, None], actions[1])
        if greedy:
            assert (actions[0] == plain_q(one)[row].argmax()).all()


@pytest.mark.parametrize(
    ("learner", "space", "message"),
    [
        (QLambda(), MultiBinary(3), "learns Discrete, MultiDiscrete and Box actions, .* are a MultiBinary"),
        (QLambda(), Box(-np.inf, 1, (2,)), "with finite bounds; .* lacks bounds"),
        (QLambda(), Box(-1, 1, (2,), np.float64), "float32 .* type float64"),
        (QLambda(), Box(-1, 1, (2, 2)), r"vectors .* shape \(2, 2\)"),
        (QLambda(random_actions=(1, 2)), Box(-1, 1, (2,)), "random_actions has 2 weights; .* several numbers"),
        (QLambda(random_actions=(1, 2)), Discrete(3), "random_actions has 2 weights; the family has 3 actions"),
        (QLambda(random_actions=(1, 2)), MultiDiscrete([2, 2]), "random_actions has 2 weights; .* several numbers"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_one_line(learner, space, message):
    with pytest.raises(ScoutError, match=message) as refusal:
        learner.head(4, space, generator(jax.random.key(0)))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon_low": 0.5, "epsilon_high": 0.1}, r"epsilon_low \(0.5\) must not exceed epsilon_high \(0.1\)"),
        ({"epsilon_low": 0.0}, "epsilon_low"),
        ({"lambda_": 1.5}, "lambda_"),
        ({"random_actions": (0.0, 0.0)}, "random_actions must be weights of at least 0, not all 0"),
        ({"random_actions": (1.0, -1.0)}, "random_actions must be weights"),
        ({"bins": 1}, "bins must be 2 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ScoutError, match=message):
        QLambda(**settings)
