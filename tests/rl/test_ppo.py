"""PPO as a learner: its heads for every kind of action, and its loss by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Text
from scipy.stats import norm

from scoutrl.errors import ScoutError
from scoutrl.nn.init import generator
from scoutrl.rl.learner import Steps
from scoutrl.rl.ppo import ActorCritic, Decision, Ppo

JUNK = 99.0
"""Stands where a component has no such choice; it must not count."""
SPACES = [Discrete(4), MultiDiscrete([2, 5, 3]), Box(np.array([-1, 0]), np.array([1, 9]), dtype=np.float32)]


def drawn(space, features: int = 4) -> ActorCritic:
    return Ppo().head(features, space, generator(jax.random.key(0)))


def given(space, parameters, value) -> ActorCritic:
    """A head that says this where the features are one-hots of the row."""
    weights = jnp.asarray(parameters, jnp.float32).reshape(len(value), -1), jnp.asarray(value, jnp.float32)[:, None]
    return eqx.tree_at(lambda h: (h.parameters.weight, h.critic.weight), drawn(space, len(value)), weights)


def sampled(head, features, count: int) -> np.ndarray:
    @jax.jit
    def sample(head, features):
        outputs, keys = head(features), jax.random.split(jax.random.key(1), count)
        return jax.vmap(lambda key: Ppo().act(outputs, None, key, False))(keys)

    return np.asarray(sample(head, features))


# Logits of two numbers: shares 1/4, 3/4 and 1/2, 1/3, 1/6.
SHARES = np.array([1 / 4, 3 / 4]), np.array([1 / 2, 1 / 3, 1 / 6])
LOGITS = [[[*np.log(SHARES[0]), JUNK], np.log(SHARES[1]) + 3]]


def test_log_probabilities_of_several_numbers_by_hand():
    outputs = given(MultiDiscrete([2, 3]), LOGITS, [7])(jnp.ones(1))
    for action, share in [([0, 0], 1 / 4 * 1 / 2), ([1, 1], 3 / 4 * 1 / 3), ([1, 2], 3 / 4 * 1 / 6)]:
        kept = Ppo().keep(outputs, jnp.array(action))
        assert kept.log_probability == pytest.approx(np.log(share), rel=1e-5)
        assert kept.value == pytest.approx(7)
    assert Ppo().act(outputs, None, jax.random.key(0), True).tolist() == [1, 0]
    entropy = sum(-(shares * np.log(shares)).sum() for shares in SHARES)
    assert outputs.policy.entropy() == pytest.approx(entropy, rel=1e-5)


def test_several_numbers_are_drawn_by_their_shares():
    n = 20_000
    actions = sampled(given(MultiDiscrete([2, 3]), LOGITS, [7]), jnp.ones(1), n)
    joint = np.bincount(np.ravel_multi_index(tuple(actions.T), (2, 3)), minlength=6) / n
    np.testing.assert_allclose(joint, np.outer(*SHARES).ravel(), atol=4 * (0.25 / n) ** 0.5)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_actions_stay_in_their_space(space):
    """Also where the head thinks most of what no component has, or of what lies beyond the box."""
    head = eqx.tree_at(lambda h: h.parameters.bias, drawn(space), replace_fn=lambda x: x.at[...].set(50.0))
    if isinstance(space, MultiDiscrete):
        valid = np.arange(5) < space.nvec[:, None]
        head = eqx.tree_at(lambda h: h.parameters.bias, head, jnp.asarray(np.where(valid, 0.0, 50.0).ravel()))
    features = jnp.asarray(np.random.default_rng(0).normal(size=(200, 4)), jnp.float32)
    low, high = (space.low, space.high) if isinstance(space, Box) else (0, np.ravel(getattr(space, "nvec", 4)) - 1)

    @jax.jit
    def acted(features):
        outputs = head(features)
        keys = jax.random.split(jax.random.key(1), 200)
        choose = lambda greedy: jax.vmap(lambda outputs, key: Ppo().act(outputs, None, key, greedy))  # noqa: E731
        actions = [choose(greedy)(outputs, keys) for greedy in (False, True)]
        return actions, [Ppo().keep(outputs, action).log_probability for action in actions]

    for actions, log_probabilities in zip(*acted(features), strict=True):
        assert actions.shape == (200, *space.shape)
        assert (np.asarray(actions) >= low).all()
        assert (np.asarray(actions) <= high).all()
        assert np.isfinite(log_probabilities).all()


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_fresh_policy_is_hardly_decided(space):
    policy = eqx.filter_jit(drawn(space))(
        jnp.asarray(np.random.default_rng(0).normal(size=(50, 4)), jnp.float32)
    ).policy
    if isinstance(space, Box):
        most = norm.entropy(0, (space.high - space.low) / 4).sum()
    else:
        most = np.log(np.ravel(getattr(space, "nvec", 4))).sum()
    np.testing.assert_allclose(policy.entropy(), most, atol=1e-3)


@pytest.mark.slow
def test_one_component_is_the_same_as_one_number():
    (one, several), features = (drawn(space) for space in (Discrete(4), MultiDiscrete([4]))), jnp.ones(4)
    np.testing.assert_array_equal(sampled(one, features, 50)[:, None], sampled(several, features, 50))
    kept = Ppo().keep(one(features), jnp.int32(2)), Ppo().keep(several(features), jnp.array([2]))
    assert eqx.tree_equal(*kept)


def example() -> tuple[ActorCritic, jax.Array, Steps]:
    """Two steps and one that did not take place, in states 0, 1, 2, 2 worth 10, 20, 40; γ is 0.5 and then 0."""
    logits = [LOGITS[0], [[0, 0, JUNK], [0, 0, 0]], [[1, 0, JUNK], [0, 1, 0]]]
    head = given(MultiDiscrete([2, 3]), logits, [10, 20, 40])
    # The first action was less likely then by a factor 2, the second one as likely, V of the second state less by 2.
    then = jnp.log(jnp.array([[3 / 4 * 1 / 6 / 2, 1 / 2 * 1 / 3, 0.9]])), jnp.array([[10.0, 18.0, 77.0]])
    steps = Steps(
        jnp.array([[[1, 2], [0, 1], [1, 1]]]),
        jnp.array([[1.0, 3.0, 99.0]]),
        jnp.array([[0.5, 0.0, 0.0]]),
        jnp.array([[True, True, False]]),
        Decision(*then),
    )
    return head, jnp.eye(3)[jnp.array([[0, 1, 2, 2]])], steps


def test_the_loss_by_hand():
    learner = Ppo(lambda_=0.5, clip=0.2, entropy_weight=0.1, value_weight=0.25)
    head, features, steps = example()
    found, metrics = jax.jit(learner.loss)(head, head, features, features, steps, jax.random.key(0))
    second = 3 - 18
    first = 1 + 0.5 * 18 - 10 + 0.5 * 0.5 * second
    # Normalised, two numbers are 1 and -1, here the first is the larger one: its gain is cut at 1.2.
    assert first > second
    surrogate = -(1.2 * 1 + 1.0 * -1) / 2
    value_loss = ((10 - (first + 10)) ** 2 + (20 - (second + 18)) ** 2) / 2
    entropies = sum(-(shares * np.log(shares)).sum() for shares in SHARES), np.log(2) + np.log(3)
    expected = {"surrogate": surrogate, "value_loss": value_loss, "entropy": sum(entropies) / 2}
    assert {name: float(value) for name, value in metrics.items()} == pytest.approx(expected, rel=1e-4)
    assert float(found) == pytest.approx(surrogate + 0.25 * value_loss - 0.1 * sum(entropies) / 2, rel=1e-4)


def test_steps_that_did_not_take_place_move_nothing():
    head, features, steps = example()
    key = jax.random.key(0)
    slope = jax.jit(jax.grad(lambda head: Ppo().loss(head, head, features, features, steps, key)[0]))(head)
    parameters, critic = np.asarray(slope.parameters.weight).reshape(3, 2, 3), np.asarray(slope.critic.weight)[:, 0]
    assert (np.abs(parameters[:2]).max(axis=(1, 2)) > 1e-3).all()
    assert (np.abs(critic[:2]) > 1e-3).all()
    assert not parameters[2].any()
    assert critic[2] == 0
    assert (parameters[:, 0, 2] == 0).all()


@pytest.mark.parametrize("space", [MultiBinary(3), Text(3)], ids=str)
def test_what_cannot_be_learnt_is_refused_in_one_line(space):
    name = type(space).__name__
    with pytest.raises(ScoutError, match=f"learner=ppo learns Discrete, MultiDiscrete and Box actions.* {name}") as no:
        drawn(space)
    assert "\n" not in str(no.value)


@pytest.mark.parametrize("name", ["clip", "discount", "lambda_", "entropy_weight", "value_weight"])
def test_settings_that_make_no_sense_are_refused(name):
    with pytest.raises(ScoutError, match=name):
        Ppo(**{name: -0.1})
