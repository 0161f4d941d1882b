"""MetaCURE: what the explorer is paid for, and what trains what."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, SIZES, TRIALS, begun, noisy, play, quick_jit, size, with_counter
from probes.rooms import Rooms

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.metacure.metacure import MetaCure
from scoutrl.algorithms.settings import build
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.trials.agent import Phase
from scoutrl.trials.sequences import Transitions
from scoutrl.trials.trial import Trial

ENV = Rooms()


def small(**settings) -> MetaCure:
    sizes = {**SIZES, **SEVERAL, "z": 3, "memory_size": 4, "capacity": TRIALS, "kl_weight": 0.5}
    metacure = build(MetaCure, {**sizes, **settings})
    assert isinstance(metacure, MetaCure)
    return metacure


@cache
def lived() -> tuple[AlgorithmState, Trial]:
    state = begun(ENV, small())
    return state, play(ENV, small(), state, jax.random.key(0))


@pytest.fixture(scope="module")
def slopes():
    """The losses, their gradients in all networks, and the losses after a change to the networks."""
    state, trials = lived()
    losses = lambda networks: small().loss(networks, state, trials, jax.random.key(1))[1].metrics  # noqa: E731
    return state.networks, quick_jit(losses), quick_jit(jax.jacrev(losses))(state.networks)


def parts(slope) -> set[str]:
    curiosity, sampler = slope.curiosity, slope.sampler
    named = {
        "problem": (curiosity.encoder, curiosity.with_id),
        "context": (curiosity.history, curiosity.without_id),
        "explorer": slope.explorer,
        "q": sampler.inference,
        "policy": sampler.policy,
    }
    return {name for name, part in named.items() if size(part) > 0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "trained"),
    [
        ("explorer_loss", {"explorer"}),
        ("context_error", {"context"}),
        ("problem_error", {"problem"}),
        ("policy_loss", {"q", "policy"}),
        ("kl", {"q"}),
        ("loss", {"problem", "context", "explorer", "q", "policy"}),
    ],
)
def test_each_objective_trains_its_own_part(slopes, name, trained):
    assert parts(slopes[2][name]) == trained


@pytest.mark.slow
def test_the_loss_is_the_sum(slopes):
    networks, losses, _ = slopes
    found = losses(networks)
    summed = sum(found[name] for name in ("explorer_loss", "context_error", "problem_error", "policy_loss"))
    assert found["loss"] == pytest.approx(float(summed + 0.5 * found["kl"]), rel=1e-5)


def test_rewards_of_stored_trials_are_recomputed_with_the_predictors_of_now(slopes):
    networks, losses, _ = slopes
    for part in (lambda n: n.curiosity.with_id.after.bias, lambda n: n.curiosity.without_id.after.bias):
        changed = eqx.tree_at(part, networks, part(networks) + jnp.arange(5.0))
        assert abs(losses(changed)["explorer_loss"] - losses(networks)["explorer_loss"]) > 1e-4


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_the_explorer_s_return(weight):
    """Two steps, all values 0, no discount: r_exp 1 and 0.5 beside rewards 3 and 0. Each is its step's target."""
    metacure = small(reward_weight=weight, discount=1.0, lambda_=0.0)
    seen, mask = jnp.zeros((1, 2, 5)), jnp.ones((1, 2), bool)
    explored = Transitions(seen, jnp.array([[0, 1]]), jnp.array([[3.0, 0.0]]), seen, mask, mask)
    features = TransitionFeatures(
        explored.before, jax.nn.one_hot(explored.actions, 4), explored.rewards, explored.after
    )
    head = lambda networks: networks.explorer.head  # noqa: E731
    networks = lived()[0].networks
    networks = eqx.tree_at(head, networks, jax.tree.map(jnp.zeros_like, head(networks)))
    gain = jnp.array([[1.0, 0.5]])
    loss = quick_jit(metacure.explorer_loss)(networks, networks, gain, explored, features, jax.random.key(0))
    np.testing.assert_allclose(loss, ((1 + 3 * weight) ** 2 + 0.5**2) / 2, rtol=1e-6)


def test_random_actions_go_by_their_weights():
    """At first the explorer is random altogether: with all weight on one action, that is what it does."""
    young = with_counter(lived()[0], updates=0)
    agent = small(random_actions=(0.0, 0.0, 1.0, 0.0)).collector(ENV, young, jnp.array([0, 0]), jax.random.key(0))
    memory = agent.begin_episode(agent.begin(jax.random.key(0)), Phase.EXPLORATION, None, jax.random.key(0))
    act = quick_jit(lambda key: agent.act(memory, agent.encode(jnp.int32(0)), key, False)[0])
    assert {int(act(jax.random.key(i))) for i in range(8)} == {2}


@pytest.mark.slow
def test_the_deployed_agent_has_no_predictor():
    state, _ = lived()
    changed = eqx.tree_at(lambda s: s.targets.curiosity, state, noisy(state.targets.curiosity, 7))
    assert eqx.tree_equal(small().agent(ENV, state), small().agent(ENV, changed))
    assert not eqx.tree_equal(state, changed)
