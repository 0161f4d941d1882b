"""Agents with one policy for the whole trial: they act as the learner thinks they do, and remember what they should."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import quick_jit, relive, with_counter
from algorithms.small_rivals import RIVALS, lived, small
from probes.rooms import Rooms

from scoutrl.algorithms.recurrent.unroll import unroll


@quick_jit
def relived(rival, env, state, trials):
    """Memory, action values and greedy actions of the agent in each step of trials stepped through as they were lived,
    [trials, step]; and the learner's memory and action values in its sequence."""
    agent = rival.agent(env, dataclasses.replace(state, targets=state.networks))
    actor = state.networks.actor

    def utilities(hidden, inputs):
        return actor.head(actor.features(actor.belief(hidden), inputs)).utilities[..., 0, :]

    def one(trial):
        found = [
            (before.hidden, utilities(before.hidden, after.inputs), action)
            for before, action, after in relive(agent, trial)
        ]
        return jax.tree.map(lambda *steps: jnp.stack(steps), *found)

    unrolled = unroll(actor, trials, rival.see_rewards)
    hidden = unrolled.hidden[:, :-1]
    return jax.vmap(one)(trials), (hidden, utilities(hidden, unrolled.features.before))


@pytest.mark.slow
@pytest.mark.parametrize("see_rewards", [True, pytest.param(False, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", RIVALS[1:])
def test_the_agent_acts_in_a_trial_as_the_learner_thinks_it_does(name, see_rewards):
    env, state, trials = lived(name)
    assert trials.exploration.mask.all()
    rival = small(name, see_rewards=see_rewards)
    (hidden, q, actions), (learner_hidden, learner_q) = relived(rival, env, state, trials)
    np.testing.assert_allclose(hidden, learner_hidden, atol=1e-5)
    np.testing.assert_allclose(q, learner_q, atol=1e-5)
    np.testing.assert_array_equal(actions, learner_q.argmax(axis=-1))
    # The memory is never wiped within a trial, and exploration's rewards reach it only where they are seen.
    assert (np.abs(hidden[:, 1:]) > 0).any(axis=-1).all()
    richer = eqx.tree_at(lambda t: t.exploration.rewards, trials, trials.exploration.rewards + 1)
    (other, *_), _ = relived(rival, env, state, richer)
    assert np.array_equal(other, hidden) == (not see_rewards)


def test_the_goal_is_seen_only_when_exploiting():
    env, state, trials = lived("e-rl2")
    rival = small("e-rl2")
    _, (_, q) = relived(rival, env, state, trials)
    for phase, changes in [("exploration", False), ("exploitation", True)]:
        goals = lambda t, phase=phase: getattr(t, phase).goals  # noqa: E731
        _, (_, other) = relived(rival, env, state, eqx.tree_at(goals, trials, 1 - goals(trials)))
        assert np.array_equal(q, other) != changes


@quick_jit
def noise(rival, env, state, updates, keys):
    """The shares of random actions of trials, exploring and exploiting, [trials] each."""
    young = with_counter(state, updates=updates)
    begun = jax.vmap(lambda key: rival.collector(env, young, jnp.array([0, 0]), key).begin(key))(keys)
    return begun.exploration_noise, begun.exploitation_noise


def test_random_actions_of_a_trial_are_its_own_and_exploring_begins_at_random():
    env, state, _ = lived("e-rl2")
    keys = jax.random.split(jax.random.key(0), 200)
    rival = small("e-rl2", warmup=10)
    early, late = (np.asarray(noise(rival, env, state, jnp.int32(u), keys)) for u in (0, 100))
    assert (early[0] == 1).all()
    assert late.min() >= 0.05 - 1e-6
    assert late.max() <= 0.6 + 1e-6
    assert late.std(axis=1).min() > 0.05
    np.testing.assert_array_equal(early[1], late[1])


@pytest.mark.slow
def test_random_actions_are_drawn_by_weight():
    env, rival = Rooms(), small("e-rl2", random_actions=(0.0, 1.0, 0.0, 0.0), epsilon_low=1.0, epsilon_high=1.0)
    state = rival.init(env, jax.random.key(0))

    @quick_jit
    def acted(state, keys):
        agent = rival.collector(env, state, jnp.array([0, 0]), keys[0])
        return jax.vmap(lambda key: agent.act(agent.begin(key), agent.encode(jnp.int32(0)), key, False)[0])(keys)

    assert (acted(state, jax.random.split(jax.random.key(1), 50)) == 1).all()
