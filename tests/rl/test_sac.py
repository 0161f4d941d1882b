"""SAC as a learner: its distribution, its losses by hand, and where its gradients stop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import Space
from gymnasium.spaces import Box, Discrete
from scipy.stats import norm

from scoutrl.errors import ScoutError
from scoutrl.nn.init import generator
from scoutrl.rl.learner import Steps
from scoutrl.rl.sac import Sac
from scoutrl.rl.sac_head import SacHead, Squashed

KEY = jax.random.key(0)
SPACE = Box(np.array([-1, 0], np.float32), np.array([1, 8], np.float32))


def drawn(space: Space = SPACE, features: int = 4, **settings) -> SacHead:
    return Sac(**settings).head(features, space, generator(KEY))


def example() -> tuple[jax.Array, Steps]:
    """Two trajectories of three steps, of which the second ends after two."""
    random = np.random.default_rng(0)
    features = jnp.asarray(random.normal(size=(2, 4, 4)), jnp.float32)
    actions = jnp.asarray(random.uniform([-1, 0], [1, 8], size=(2, 3, 2)), jnp.float32)
    discounts = jnp.array([[0.9, 0.9, 0.0], [0.9, 0.0, 0.9]])
    mask = jnp.array([[True, True, True], [True, True, False]])
    return features, Steps(actions, jnp.array([[1.0, 2.0, 4.0], [0.5, -1.0, 99.0]]), discounts, mask)


def test_the_density_is_that_of_squashed_normal_numbers():
    said = Squashed(jnp.array([[0.3, -4.0]]), jnp.array([[-0.5, 0.1]]), (-1.0, -1.0), (1.0, 1.0))
    action, found = said.sample(KEY)
    u = np.arctanh(np.asarray(action, np.float64))
    expected = norm.logpdf(u, said.mean, np.exp(said.log_deviation)) - np.log(1 - np.tanh(u) ** 2)
    assert float(found[0]) == pytest.approx(expected.sum(), rel=2e-3)
    assert np.isfinite(Squashed(said.mean * 100, said.log_deviation, said.low, said.high).sample(KEY)[1]).all()


@pytest.mark.slow
def test_actions_lie_in_the_box_and_a_fresh_policy_is_spread_over_it():
    head = drawn()
    outputs, noise = head(jnp.zeros(4)), Sac().bound(Sac().noise(KEY, head), 0.0)
    keys = jax.random.split(KEY, 2000)
    acted = np.asarray(jax.jit(jax.vmap(lambda key: Sac().act(outputs, noise, key, False)))(keys))
    assert (acted >= SPACE.low).all()
    assert (acted <= SPACE.high).all()
    unit = (acted - SPACE.low) / (SPACE.high - SPACE.low)
    np.testing.assert_allclose(unit.mean(axis=0), 0.5, atol=0.05)
    assert (unit.std(axis=0) > 0.25).all()
    assert Sac().act(outputs, noise, KEY, True) == pytest.approx([0, 4])
    wandering = Sac().bound(noise, 1.0)
    held = SPACE.low + np.asarray(noise.place) * (SPACE.high - SPACE.low)
    assert Sac().act(outputs, wandering, KEY, False) == pytest.approx(held, abs=1e-5)


@pytest.mark.parametrize("lambda_", [0.0, 0.7, 1.0])
def test_targets_by_their_recursion(lambda_):
    _, steps = example()
    values, bonus = np.array([[3.0, 5, 7], [2, 6, 9]]), np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    found = np.asarray(Sac(lambda_=lambda_).targets(jnp.asarray(values), jnp.asarray(bonus), steps))
    rewards, discounts = np.asarray(steps.rewards), np.asarray(steps.discounts)
    for row, length in [(0, 3), (1, 2)]:
        later = values[row, length - 1]
        for t in reversed(range(length)):
            trace = lambda_ if t + 1 < length else 0
            mixed = trace * later + (1 - trace) * values[row, t] + bonus[row, t]
            later = rewards[row, t] + discounts[row, t] * mixed
            assert found[row, t] == pytest.approx(later, rel=1e-5)


@pytest.mark.slow
def test_gradients_reach_what_each_loss_is_of():
    features, steps = example()
    # No layer is zero here, or it would hide others.
    head = jax.tree.map(lambda x: x + 0.1, drawn())

    def losses(head, features):
        return Sac().loss(head, head, features, features, steps, KEY)[1]

    slopes = jax.jit(jax.jacrev(losses, argnums=(0, 1)))(head, features)
    moved = {name: moving(slopes[name]) for name in ("critic_loss", "actor_loss", "temperature_loss")}
    assert moved == {
        "critic_loss": (False, True, False, True),
        "actor_loss": (True, False, False, False),
        "temperature_loss": (False, False, True, False),
    }


def moving(slope) -> tuple[bool, ...]:
    head, features = slope
    parts = head.actor, head.critics, head.log_temperature, features
    return tuple(any(bool(jnp.any(x != 0)) for x in jax.tree.leaves(part)) for part in parts)


@pytest.mark.slow
def test_the_temperature_falls_while_the_policy_is_more_undecided_than_wanted():
    features, steps = example()
    head = drawn()
    for wanted, sign in [(-3.0, 1), (3.0, -1)]:
        learner = Sac(target_entropy=wanted)

        def loss(head, learner=learner):
            return learner.loss(head, head, features, features, steps, KEY)[1]["temperature_loss"]

        assert np.sign(jax.jit(jax.grad(loss))(head).log_temperature) == sign


def test_what_cannot_be_learnt_is_refused_in_one_line():
    with pytest.raises(ScoutError, match=r"learner=sac learns Box actions, .* are a Discrete: choose learner=q") as no:
        drawn(Discrete(3))
    assert "\n" not in str(no.value)
    with pytest.raises(ScoutError, match="temperature must be above 0"):
        Sac(temperature=0.0)
