"""What DREAM's agents know, and that they act in a trial as the learner thinks they do."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, lived, noisy, quick_jit, relive, small, with_counter, with_encoders

from scoutrl.trials.agent import Phase
from scoutrl.trials.encode import encode_observations
from scoutrl.trials.rollout import rollout
from scoutrl.trials.sequences import transitions
from scoutrl.trials.trial import Protocol


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


@quick_jit
def collectors(dream, env, state, problem, keys):
    """Agents that collect trials of one problem; their z before exploiting, with and without being told."""

    def one(key):
        agent = dream.collector(env, state, problem, key)
        memory = agent.begin_episode(agent.begin(key), Phase.EXPLOITATION, jnp.int32(0), key)
        return agent.training, memory.z, agent.actors.decoder(agent.begin(key).decoder), memory.policy_noise

    return jax.vmap(one)(keys), state.networks.encoder(problem)


@quick_jit
def acted(dream, env, state):
    """Greedy trials [key, problem] of the deployed agent, with two exploration episodes."""
    agent, protocol = dream.agent(env, state), Protocol(2, 1, greedy=True)
    one = jax.vmap(lambda problem, key: rollout(env, agent, problem, key, protocol), (0, None))
    return jax.vmap(lambda key: one(jnp.array([[1, 0], [2, 1]]), key))(jax.random.split(jax.random.key(0), 200))


@pytest.mark.slow
def test_the_deployed_agent_is_the_same_whatever_the_encoder_of_problems():
    env, state, _ = lived()
    changed = with_encoders(state, lambda encoders: noisy(encoders, 7))
    assert same(small().agent(env, state), small().agent(env, changed))
    assert same(acted(small(), env, state), acted(small(), env, changed))
    # The agents that collect training trials are told: the comparison would show it.
    given = jnp.array([2, 1]), jax.random.split(jax.random.key(0), 400)
    assert not same(collectors(small(), env, state, *given)[0][1], collectors(small(), env, changed, *given)[0][1])


@pytest.mark.slow
def test_the_deployed_agent_is_the_same_whatever_its_problems_are_called():
    env, state, _ = lived()
    renamed = eqx.tree_at(lambda e: e.problems.ids, env, np.roll(env.problems.ids, 3, axis=0))
    agent = small().agent(env, state)
    assert same(agent, small().agent(renamed, state))
    assert same(acted(small(), env, state), acted(small(), renamed, state))
    # Its arrays are those of the acting networks.
    assert same(eqx.filter(agent, eqx.is_array), state.targets.actors)
    assert agent.training is None


@pytest.mark.parametrize(("residual", "share"), [(1.0, 0.0), (0.4, 0.25), (0.0, 0.5)])
def test_agents_that_collect_are_told_a_draw_around_f_or_decode(residual, share):
    env, state, _ = lived()
    keys = jax.random.split(jax.random.key(0), 400)
    given = with_counter(state, residual=residual), jnp.array([2, 1]), keys
    (training, z, decoded, epsilon), f = jax.tree.map(np.asarray, collectors(small(), env, *given))
    told = training.task
    assert (~told.used).mean() == pytest.approx(share, abs=4 * (0.25 / 400) ** 0.5 * (share > 0))
    np.testing.assert_allclose(z, np.where(told.used[:, None], told.z, decoded), atol=1e-6)
    noise = told.z - f
    assert noise.mean() == pytest.approx(0, abs=4 * 0.05 / 1200**0.5)
    assert noise.std() == pytest.approx(0.05, rel=0.1)
    assert epsilon.min() >= 0.05 - 1e-6
    assert epsilon.max() <= 0.6 + 1e-6
    assert epsilon.std() > 0.05


def test_the_hypotheses_of_an_explorer_have_nothing_to_do_with_its_problem():
    env, state, _ = lived()
    keys = jax.random.split(jax.random.key(0), 400)
    one, other = (collectors(small(), env, state, jnp.array(ids), keys)[0] for ids in ([2, 1], [0, 0]))
    assert same(one[0].hypotheses, other[0].hypotheses)
    assert not same(one[0].task, other[0].task)
    none = eqx.filter_eval_shape(small(hypothesis_share=0.0).collector, env, state, jnp.array([0, 0]), keys[0])
    assert none.training.hypotheses is None


@pytest.mark.parametrize("who", ["explorer", "policy"])
def test_both_are_random_at_first_and_less_and_less(who):
    env, state, _ = lived()
    warmups = {"warmup": 50 * (who == "explorer"), "policy_warmup": 50 * (who == "policy")}
    dream = small(updates_per_iteration=4, **warmups)
    other = {"explorer": "policy", "policy": "explorer"}[who]

    @quick_jit
    def random(updates):
        agent = dream.collector(env, with_counter(state, updates=updates), jnp.array([0, 0]), jax.random.key(0))
        memory, shares = agent.begin(jax.random.key(0)), {}
        for name in (who, other):
            shares[name] = getattr(agent.training, f"{name}_random"), getattr(memory, f"{name}_noise")
        return shares

    found = [random(jnp.int32(updates)) for updates in (0, 50, 200, 1000)]
    np.testing.assert_allclose([shares[who][0] for shares in found], [1, 0.75, 0, 0], atol=1e-6)
    np.testing.assert_allclose([shares[other][0] for shares in found], 0, atol=1e-6)
    # The trial's own share of random actions is no less than that.
    own = found[-1][who][1]
    np.testing.assert_allclose([shares[who][1] for shares in found], [1, 0.75, own, own], atol=1e-6)
    np.testing.assert_allclose([shares[other][1] for shares in found], own, atol=1e-6)


def test_the_oracle_is_told_f_of_the_average():
    env, state, _ = lived()
    oracle = small().oracle(env, state, jnp.array([3, 0]))
    assert oracle.training is not None
    assert bool(oracle.training.task.used)
    tables = [np.asarray(table) - np.asarray(table).mean(axis=0) for table in state.targets.encoder.tables]
    np.testing.assert_allclose(oracle.training.task.z, (tables[0][3] + tables[1][0]) / 2**0.5, atol=1e-6)


@pytest.mark.slow
def test_random_exploration_is_uniform_also_when_greedy():
    env, state, _ = lived()
    actions = np.asarray(acted(small(exploration="random"), env, state).exploration.actions)[:, 0].reshape(200, 4)
    shares = np.bincount(actions.ravel(), minlength=4) / actions.size
    np.testing.assert_allclose(shares, 0.25, atol=4 * (0.1875 / actions.size) ** 0.5)
    pairs = np.bincount(4 * actions[:, 0] + actions[:, 1], minlength=16) / 200
    np.testing.assert_allclose(pairs, 1 / 16, atol=4 * (1 / 16 / 200) ** 0.5)
    learnt = np.asarray(acted(small(), env, state).exploration.actions)
    assert (learnt == learnt[:1]).all()


@quick_jit
def relived(dream, env, state, trials):
    """Utilities and greedy actions in each step, and z, of the agent that is stepped through trials; and the learner's
    utilities and z."""
    agent = dream.agent(env, dataclasses.replace(state, targets=state.networks))
    actors = state.networks.actors

    def utilities(before, after):
        if before.phase == Phase.EXPLORATION:
            remembered = before.decoder if dream.shared_memory else before.explorer
            return actors.explorer.head(actors.explorer.features(remembered, after.observation)).utilities
        features = actors.policy.features(before.policy, after.observation, after.goal, after.z)
        return actors.policy.head(features).utilities

    def one(trial):
        found = [(utilities(before, after), action, after.z) for before, action, after in relive(agent, trial)]
        values, actions, z = jax.tree.map(lambda *steps: jnp.stack(steps), *found)
        return values, actions, z[-1]

    explored = transitions(encode_observations(actors.encode.observation, trials.exploration))
    exploited = encode_observations(actors.encode.observation, trials.exploitation)
    exploited = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), exploited)
    features = dream._transition_features(actors, explored)
    z = explored.last(actors.decoder.prefixes(features))
    explorer = actors.explorer.head(actors.explorer.unroll(features, actors.decoder.history.scan(features))[:, :-1])
    policy = actors.policy.head(dream._policy_features(actors, actors, exploited, z)[:, :-1])
    steps = [outputs.utilities.reshape(len(z), -1, 1, 4) for outputs in (explorer, policy)]
    return jax.vmap(one)(trials), (jnp.concatenate(steps, axis=1), z)


LONG = [pytest.mark.slow, pytest.mark.long]


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"shared_memory": True},
        pytest.param({"see_rewards": False}, marks=LONG),
        pytest.param({"memory_cell": "gru"}, marks=LONG),
    ],
    ids=str,
)
def test_the_agent_acts_in_a_trial_as_the_learner_thinks_it_does(settings):
    """Memories, goals and z are the same step by step and all at once, over several episodes of both phases."""
    env, state, trials = lived(**settings)
    dream = small(**settings, **SEVERAL)
    (values, actions, z), learner = jax.tree.map(np.asarray, relived(dream, env, state, trials))
    np.testing.assert_allclose(values, learner[0], atol=1e-5)
    np.testing.assert_array_equal(actions, values[:, :, 0].argmax(axis=-1))
    np.testing.assert_allclose(z, learner[1], atol=1e-5)
    # Both policies tell trials apart, by what they remember.
    assert (np.ptp(values[:, 2:], axis=0).max(axis=(1, 2)) > 0.01).all()
    richer = eqx.tree_at(lambda t: t.exploration.rewards, trials, trials.exploration.rewards + 1)
    (_, _, other), _ = relived(dream, env, state, richer)
    assert np.array_equal(other, z) == (not dream.see_rewards)
