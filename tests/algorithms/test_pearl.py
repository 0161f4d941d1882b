"""PEARL: what each z is drawn from, what the agent knows of it, and what trains what."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, SIZES, TRIALS, begun, play, quick_jit, relive, size
from probes.rooms import Rooms

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.pearl.context import contexts, factors, joined, together
from scoutrl.algorithms.pearl.pearl import Pearl
from scoutrl.nn.gaussian import Factor
from scoutrl.trials import replay as ring
from scoutrl.trials.agent import Phase
from scoutrl.trials.encode import encode_observations
from scoutrl.trials.trial import Trial

ENV, PEARL = (
    Rooms(),
    Pearl(**{**SIZES, **SEVERAL, "policy_width": 8}, z=3, capacity=TRIALS, kl_weight=0.5, goal_while_exploring=True),
)


@cache
def lived() -> tuple[AlgorithmState, Trial]:
    state = begun(ENV, PEARL)
    trials = play(ENV, PEARL, state, jax.random.key(0))
    return dataclasses.replace(state, replay=ring.add(state.replay, trials, jnp.zeros(TRIALS))), trials


def test_contexts_by_numbers():
    """Exploration episodes know all of exploration; exploitation episodes all before them."""
    explored = Factor(jnp.array([[[1.0], [2.0]]]), jnp.array([[[3.0], [5.0]]]))
    exploited = Factor(jnp.array([[[10.0], [20.0], [40.0]]]), jnp.zeros((1, 3, 1)))
    known = contexts(explored, exploited)
    np.testing.assert_array_equal(known.precision[0, :, 0], [3, 3, 3, 13, 33])
    np.testing.assert_array_equal(known.weighted[0, :, 0], 8)


@pytest.mark.slow
def test_the_agent_s_experiences_are_the_learner_s():
    """Stepping through a trial, the agent comes to what the learner makes of it all at once; goals come and go."""
    state, trials = lived()
    agent = PEARL.collector(ENV, state, jnp.array([0, 0]), jax.random.key(0))

    @quick_jit
    def relived(trial):
        """Experiences and goal at the beginning of each episode."""
        memories = [memory for memory, _, _ in relive(agent, trial)][:: ENV.horizon]
        return [memory.experiences for memory in memories], [memory.goal for memory in memories]

    trial = jax.tree.map(lambda x: x[0], trials)
    beliefs, goals = relived(trial)
    networks, one = state.networks, jax.tree.map(lambda x: x[:1], trials)
    explored, exploited = (
        factors(networks, encode_observations(networks.encode.observation, episodes))
        for episodes in (one.exploration, one.exploitation)
    )
    learnt = contexts(explored, exploited)
    np.testing.assert_array_equal(beliefs[0].precision, 0)
    for i in (2, 3):
        np.testing.assert_allclose(beliefs[i].precision, learnt.precision[0, i], rtol=1e-4)
        np.testing.assert_allclose(beliefs[i].weighted, learnt.weighted[0, i], rtol=1e-4, atol=1e-5)
    shown = np.concatenate([trial.exploration.goals, trial.exploitation.goals])
    np.testing.assert_array_equal(goals, jax.nn.one_hot(shown, 2))


def test_goals_may_be_hidden_while_exploring():
    assert PEARL.agent(ENV, lived()[0]).sees_goal_exploring
    assert not dataclasses.replace(PEARL, goal_while_exploring=False).agent(ENV, lived()[0]).sees_goal_exploring


@pytest.mark.slow
def test_the_context_in_learning_is_of_stored_trials_of_the_same_problem():
    state, trials = lived()
    networks, same = state.networks, (trials.problem[:, None] == trials.problem[None]).all(axis=-1)
    rows = ring.of_problems(state.replay, trials.problem, 3, jax.random.key(0))
    assert same[np.arange(TRIALS)[:, None], rows].all()
    belief = quick_jit(PEARL.context)(networks, state, trials.problem, jax.random.key(0))
    drawn = ring.of_problems(state.replay, trials.problem, PEARL.context_trials, jax.random.key(0))
    phases = (networks.encode.episodes(phase) for phase in (trials.exploration, trials.exploitation))
    said = together(factors(networks, joined(*phases)))
    expected = jax.tree.map(lambda x: x[drawn].sum(axis=1), said).belief()
    np.testing.assert_allclose(belief.mean, expected.mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(belief.variance, expected.variance, rtol=1e-4)


def test_every_episode_draws_anew():
    state, _ = lived()
    agent = PEARL.agent(ENV, state)
    memory = agent.begin(jax.random.key(0))
    draws = [agent.begin_episode(memory, Phase.EXPLORATION, None, jax.random.key(i)).z for i in range(400)]
    np.testing.assert_allclose(np.mean(draws, axis=0), 0, atol=4 / 400**0.5)
    np.testing.assert_allclose(np.var(draws, axis=0), 1, atol=4 * (2 / 400) ** 0.5)


@pytest.mark.slow
def test_the_policy_s_loss_trains_both_parts_and_the_divergence_q():
    state, trials = lived()

    @quick_jit
    def slopes(networks):
        losses = lambda networks: PEARL.loss(networks, state, trials, jax.random.key(1))[1].metrics  # noqa: E731
        return losses(networks), jax.jacrev(losses)(networks)

    metrics, slope = slopes(state.networks)
    assert metrics["loss"] == metrics["policy_loss"] + 0.5 * metrics["kl"]
    assert size(slope["policy_loss"].inference) > 0
    assert size(slope["policy_loss"].policy) > 0
    assert size(slope["kl"].inference) > 0
    assert size(slope["kl"].policy) == 0
