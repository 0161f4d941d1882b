"""MetaCURE: what the explorer is paid for, and what trains what."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import TRIALS, noisy, quick_jit, size
from probes.rooms import Rooms

from scoutrl.algorithms.metacure.metacure import MetaCure
from scoutrl.training.iteration import collect
from scoutrl.training.state import TrainingState
from scoutrl.trials.agent import Phase
from scoutrl.trials.sequences import Transitions

SIZES: dict[str, Any] = {"z": 3, "width": 4, "memory": 4, "policy_width": 4, "trials": TRIALS, "batch": TRIALS}
ENV = Rooms()


def small(**settings) -> MetaCure:
    return MetaCure(**SIZES, capacity=TRIALS, explorations=2, exploitations=2, kl_weight=0.5, **settings)


@quick_jit
def begun(key):
    metacure = small()
    state = metacure.init(ENV, key)
    state = eqx.tree_at(lambda s: (s.nets, s.average), state, (noisy(state.nets), noisy(state.average, 1)))
    problems, keys = ENV.problems.sample(key, TRIALS), jax.random.split(key, TRIALS)
    return state, collect(ENV, metacure, TrainingState(state, key, jnp.int32(0)), problems, keys)


@pytest.fixture(scope="module")
def slopes():
    """The losses, their gradients in all networks, and the losses after a change to the networks."""
    state, trials = begun(jax.random.key(0))
    losses = lambda nets: small().loss(nets, state, trials, jax.random.key(1))[1].metrics  # noqa: E731
    return state.nets, quick_jit(losses), quick_jit(jax.jacrev(losses))(state.nets)


def parts(slope) -> set[str]:
    curiosity, sampler = slope.curiosity, slope.sampler
    named = {
        "problem": (curiosity.encoder, curiosity.told),
        "context": (curiosity.history, curiosity.untold),
        "explorer": slope.explorer,
        "q": sampler.inference,
        "policy": sampler.policy,
    }
    return {name for name, part in named.items() if size(part) > 0}


@pytest.mark.parametrize(
    ("name", "trained"),
    [
        ("explorer_loss", {"explorer"}),
        ("context_error", {"context"}),
        ("problem_error", {"problem"}),
        ("critic_loss", {"q", "policy"}),
        ("kl", {"q"}),
        ("loss", {"problem", "context", "explorer", "q", "policy"}),
    ],
)
def test_each_objective_trains_its_own_part(slopes, name, trained):
    assert parts(slopes[2][name]) == trained


def test_the_loss_is_the_sum(slopes):
    nets, losses, _ = slopes
    found = losses(nets)
    summed = sum(found[name] for name in ("explorer_loss", "context_error", "problem_error", "critic_loss"))
    assert found["loss"] == pytest.approx(float(summed + 0.5 * found["kl"]), rel=1e-5)


def test_rewards_of_stored_trials_are_recomputed_with_the_predictors_of_now(slopes):
    nets, losses, _ = slopes
    for part in (lambda n: n.curiosity.told.after.bias, lambda n: n.curiosity.untold.after.bias):
        changed = eqx.tree_at(part, nets, part(nets) + jnp.arange(5.0))
        assert abs(losses(changed)["explorer_loss"] - losses(nets)["explorer_loss"]) > 1e-4


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_the_explorer_s_return(weight):
    """Two steps, all values 0, no discount: r_exp 1 and 0.5 beside rewards 3 and 0. Each is its step.s target."""
    played = Transitions(None, jnp.array([[0, 1]]), jnp.array([[3.0, 0.0]]), None, jnp.ones((1, 2), bool))  # type: ignore[arg-type]
    q = jnp.zeros((1, 2, 2))
    loss = small(reward_weight=weight, discount=1.0, trace=0.0).explorer_loss(jnp.array([[1.0, 0.5]]), q, q, played)
    np.testing.assert_allclose(loss, ((1 + 3 * weight) ** 2 + 0.5**2) / 2)


def test_random_actions_go_by_their_weights():
    """At first the explorer is random altogether: with all weight on one action, that is what it does."""
    state, _ = begun(jax.random.key(0))
    young = eqx.tree_at(lambda s: s.updates, state, jnp.int32(0))
    agent = small(random_actions=(0.0, 0.0, 1.0, 0.0)).collector(ENV, young, jnp.array([0, 0]), jax.random.key(0))
    memory = agent.begin_episode(agent.begin(jax.random.key(0)), Phase.EXPLORATION, None, jax.random.key(0))
    act = quick_jit(lambda key: agent.act(memory, agent.look(jnp.int32(0)), key, False)[0])
    assert {int(act(jax.random.key(i))) for i in range(8)} == {2}


def test_the_deployed_agent_has_no_predictor():
    state, _ = begun(jax.random.key(0))
    changed = eqx.tree_at(lambda s: s.average.curiosity, state, noisy(state.average.curiosity, 7))
    assert eqx.tree_equal(small().agent(ENV, state), small().agent(ENV, changed))
    assert not eqx.tree_equal(state, changed)
