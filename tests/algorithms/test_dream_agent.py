"""What DREAM's agents know, and that they act in a trial as the learner thinks they do."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, ignorant, lived, noisy, quick_jit, small

from scoutrl.algorithms.dream.dream import _explorer_values, _together
from scoutrl.envs import Step
from scoutrl.trials.agent import Phase
from scoutrl.trials.encode import seen
from scoutrl.trials.rollout import Protocol, rollout
from scoutrl.trials.sequences import tape


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


@quick_jit
def collectors(dream, env, state, problem, keys):
    """Agents that collect trials of one problem; their z before exploiting, with and without being told."""

    def one(key):
        agent = dream.collector(env, state, problem, key)
        memory = agent.begin_episode(agent.begin(key), Phase.EXPLOITATION, jnp.int32(0), key)
        return agent.told, agent.guesses, memory.z, agent.actors.decoder(agent.begin(key).belief), memory.epsilon

    return jax.vmap(one)(keys), state.nets.encoder(problem)


@quick_jit
def acted(dream, env, state):
    """Greedy trials [key, problem] of the deployed agent, with two exploration episodes."""
    agent, protocol = dream.agent(env, state), Protocol(2, 1, greedy=True)
    one = jax.vmap(lambda problem, key: rollout(env, agent, problem, key, protocol), (0, None))
    return jax.vmap(lambda key: one(jnp.array([[1, 0], [2, 1]]), key))(jax.random.split(jax.random.key(0), 200))


def test_the_deployed_agent_is_the_same_whatever_the_encoder_of_problems():
    env, state, _ = lived()
    encoders = lambda s: (s.nets.encoder, s.average.encoder)  # noqa: E731
    changed = eqx.tree_at(encoders, state, noisy(encoders(state), 7))
    assert same(small().agent(env, state), small().agent(env, changed))
    assert same(acted(small(), env, state), acted(small(), env, changed))
    # The agents that collect training trials are told: the comparison would show it.
    given = jnp.array([2, 1]), jax.random.split(jax.random.key(0), 400)
    assert not same(collectors(small(), env, state, *given)[0][2], collectors(small(), env, changed, *given)[0][2])


def test_the_deployed_agent_is_the_same_whatever_its_problems_are_called():
    env, state, _ = lived()
    renamed = eqx.tree_at(lambda e: e.problems.ids, env, np.roll(env.problems.ids, 3, axis=0))
    agent = small().agent(env, state)
    assert same(agent, small().agent(renamed, state))
    assert same(acted(small(), env, state), acted(small(), renamed, state))
    # Its arrays are those of the acting networks, and three that say how random it is.
    assert len(jax.tree.leaves(agent)) == len(jax.tree.leaves(state.average.actors)) + 3
    assert agent.told is None
    assert agent.guesses is None
    assert float(agent.explorer_epsilon) == float(agent.policy_epsilon) == 0


@pytest.mark.parametrize(("ignorance", "share"), [(1.0, 0.0), (0.4, 0.25), (0.0, 0.5)])
def test_agents_that_collect_are_told_a_draw_around_f_or_decode(ignorance, share):
    env, state, _ = lived()
    keys = jax.random.split(jax.random.key(0), 400)
    given = ignorant(state, ignorance), jnp.array([2, 1]), keys
    (told, _, z, decoded, epsilon), f = jax.tree.map(np.asarray, collectors(small(), env, *given))
    assert (~told.used).mean() == pytest.approx(share, abs=4 * (0.25 / 400) ** 0.5 * (share > 0))
    np.testing.assert_allclose(z, np.where(told.used[:, None], told.z, decoded), atol=1e-6)
    noise = told.z - f
    assert noise.mean() == pytest.approx(0, abs=4 * 0.05 / 1200**0.5)
    assert noise.std() == pytest.approx(0.05, rel=0.1)
    assert epsilon.min() >= 0.05 - 1e-6
    assert epsilon.max() <= 0.6 + 1e-6
    assert epsilon.std() > 0.05


def test_what_an_explorer_guesses_has_nothing_to_do_with_its_problem():
    env, state, _ = lived()
    keys = jax.random.split(jax.random.key(0), 400)
    one, other = (collectors(small(), env, state, jnp.array(ids), keys)[0] for ids in ([2, 1], [0, 0]))
    assert same(one[1], other[1])
    assert not same(one[0], other[0])
    none = eqx.filter_eval_shape(small(guess_share=0.0).collector, env, state, jnp.array([0, 0]), keys[0])
    assert none.guesses is None


@pytest.mark.parametrize("who", ["explorer", "policy"])
def test_both_are_random_at_first_and_less_and_less(who):
    env, state, _ = lived()
    dream = small(warmup=50 * (who == "explorer"), policy_warmup=50 * (who == "policy"), updates=4)
    other = {"explorer": "policy", "policy": "explorer"}[who]

    @quick_jit
    def epsilon(updates):
        young = eqx.tree_at(lambda s: s.updates, state, updates)
        agent = dream.collector(env, young, jnp.array([0, 0]), jax.random.key(0))
        return getattr(agent, f"{who}_epsilon"), getattr(agent, f"{other}_epsilon")

    shares = [epsilon(jnp.int32(updates)) for updates in (0, 50, 200, 1000)]
    np.testing.assert_allclose(shares, [[1, 0], [0.75, 0], [0, 0], [0, 0]], atol=1e-6)


def test_the_oracle_is_told_f_of_the_average():
    env, state, _ = lived()
    oracle = small().oracle(env, state, jnp.array([3, 0]))
    assert oracle.told is not None
    assert bool(oracle.told.used)
    tables = [np.asarray(table) - np.asarray(table).mean(axis=0) for table in state.average.encoder.tables]
    np.testing.assert_allclose(oracle.told.z, (tables[0][3] + tables[1][0]) / 2**0.5, atol=1e-6)


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
    """The greedy actions of the agent in each step of trials that are stepped through as they were, and its z."""
    agent, key = dream._agent(state.nets, jnp.float32(0), None), jax.random.key(0)

    def one(trial):
        memory, chosen = agent.begin(key), []
        for phase, episodes in [(Phase.EXPLORATION, trial.exploration), (Phase.EXPLOITATION, trial.exploitation)]:
            greedy = []
            for i in range(2):
                goal = episodes.goals[i] if phase == Phase.EXPLOITATION else None
                memory = agent.begin_episode(memory, phase, goal, key)
                for t in range(env.horizon):
                    action, memory = agent.act(memory, agent.look(episodes.observations[i, t]), key, True)
                    after, end = agent.look(episodes.observations[i, t + 1]), jnp.bool_(False)
                    step = Step(after, episodes.rewards[i, t], end, end)
                    memory = agent.observe(memory, episodes.actions[i, t], step)
                    greedy.append(action)
            chosen.append(jnp.stack(greedy))
        return (*chosen, memory.z)

    actors = state.nets.actors
    laid, together = (
        tape(seen(actors.observe, trials.exploration)),
        _together(seen(actors.observe, trials.exploitation)),
    )
    transitions = dream._transitions(actors, laid)
    z = laid.last(dream._decode(actors, transitions))
    policy = dream._policy_values(actors, together, z)[:, :-1].argmax(axis=-1).reshape(len(z), -1)
    return jax.vmap(one)(trials), (_explorer_values(actors, transitions).argmax(axis=-1), policy, z)


@pytest.mark.parametrize("see_rewards", [True, False])
def test_the_agent_acts_in_a_trial_as_the_learner_thinks_it_does(see_rewards):
    """Memories, goals and z are the same step by step and all at once, over several episodes of both phases."""
    env, state, trials = lived()
    acting, learning = relived(small(see_rewards=see_rewards, **SEVERAL), env, state, trials)
    np.testing.assert_array_equal(acting[0], learning[0])
    np.testing.assert_array_equal(acting[1], learning[1])
    assert (acting[1] != acting[1][0]).any()
    np.testing.assert_allclose(acting[2], learning[2], atol=1e-5)
    richer = eqx.tree_at(lambda t: t.exploration.rewards, trials, trials.exploration.rewards + 1)
    other, _ = relived(small(see_rewards=see_rewards, **SEVERAL), env, state, richer)
    assert np.array_equal(other[2], acting[2]) == (not see_rewards)
