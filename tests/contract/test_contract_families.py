"""What every family keeps to: the registered ones, and the tiny ones of these tests."""

from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract.cases import quick_jit
from contract.families import KINDS, Probe
from gymnasium import Space
from probes.registered import FAMILIES

from scoutrl.envs import MetaEnv, registry
from scoutrl.envs.check import check
from scoutrl.rl.actions import random_action
from scoutrl.trials import replay as ring
from scoutrl.trials.trial import Episodes, Protocol, Trial

EPISODES = 4
PROTOCOL = Protocol(exploration_episodes=2, exploitation_episodes=1)


@pytest.fixture(scope="module", params=[*FAMILIES, *KINDS])
def name(request) -> str:
    return request.param


@lru_cache(1)
def played(name: str) -> tuple[MetaEnv, Any, Any]:
    """A family, a compiled `episode`, and what it gave for some problems."""
    env = Probe(name) if name in KINDS else registry.make(name)
    compiled = quick_jit(jax.vmap(lambda problem, key: episode(env, problem, key)))
    return env, compiled, compiled(*given(env))


def given(env: MetaEnv) -> tuple[Any, Any]:
    """Problems of both splits, and keys."""
    ids = np.concatenate([env.problems.of(split)[: EPISODES // 2] for split in ("train", "test")])
    return jnp.asarray(np.resize(ids, (EPISODES, ids.shape[1]))), jax.random.split(jax.random.key(0), EPISODES)


def episode(env: MetaEnv, problem, key):
    """First observation, goal, actions and answers of a random episode that goes on whatever happens."""
    keys = jax.random.split(key, env.horizon + 1)
    state, first = env.reset(problem, keys[0])

    def step(state, key):
        action = random_action(env.spaces.action, key)
        state, answer = env.step(state, action, key)
        return state, (action, answer)

    _, (actions, answers) = jax.lax.scan(step, state, keys[1:])
    return first, env.goal(state), actions, answers


def test_the_checker_has_nothing_to_say(name):
    check(played(name)[0])


def test_the_same_key_is_the_same_episode(name):
    env, compiled, found = played(name)
    ids = env.problems.ids.copy()
    assert eqx.tree_equal(compiled(*given(env)), found)
    np.testing.assert_array_equal(env.problems.ids, ids)


def test_compiled_or_not_a_step_is_the_same(name):
    env, _, (first, _, actions, answers) = played(name)
    problems, keys = given(env)
    keys = jax.random.split(keys[0], env.horizon + 1)
    state, observation = env.reset(problems[0], keys[0])
    _, answer = env.step(state, actions[0, 0], keys[1])
    alike(observation, first[0])
    jax.tree.map(alike, answer, jax.tree.map(lambda x: x[0, 0], answers))


def alike(found, expected) -> None:
    """Equal but for rounding, which may turn a colour into the next one."""
    found, expected = np.asarray(found), np.asarray(expected)
    rounding = 1 if expected.dtype == np.uint8 else 1e-5 if expected.dtype.kind == "f" else 0
    np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=rounding, rtol=rounding / 2)


def test_time_is_up_at_the_horizon_and_not_before(name):
    _, _, (*_, answers) = played(name)
    terminated, truncated = np.asarray(answers.terminated), np.asarray(answers.truncated)
    assert terminated.dtype == truncated.dtype == bool
    over = np.maximum.accumulate(terminated, axis=1)
    assert not (truncated & ~over)[:, :-1].any()
    assert (truncated | over)[:, -1].all()


def test_goals_are_of_the_goal_space(name):
    env, _, (_, goals, *_) = played(name)
    drawn = jax.jit(jax.vmap(lambda key: env.sample_goal(key)))(jax.random.split(jax.random.key(1), 16))
    if env.spaces.goal is None:
        assert goals is drawn is None
    else:
        inside(env.spaces.goal, goals)
        inside(env.spaces.goal, drawn)


def test_observations_and_actions_are_of_their_spaces(name):
    env, _, (first, _, actions, answers) = played(name)
    ended = np.asarray(answers.terminated | answers.truncated)
    took_place = np.cumsum(ended, axis=1) - ended == 0
    inside(env.spaces.observation, first)
    inside(env.spaces.observation, np.asarray(answers.observation)[took_place])
    inside(env.spaces.action, np.asarray(actions)[took_place])


def inside(space: Space, values) -> None:
    for value in np.asarray(values):
        assert space.contains(value.astype(space.dtype)), value


def test_the_replay_has_room_for_the_trials_of_a_family(name):
    env, _, answers = played(name)
    trials = trial_of(given(env)[0], *jax.tree.map(np.asarray, answers))

    @quick_jit
    def stored_and_taken(trials):
        full = ring.add(ring.init(env, PROTOCOL, 2 * EPISODES), trials, jnp.ones(EPISODES))
        return full.trials, ring.take(full, jnp.arange(EPISODES))

    stored, taken = stored_and_taken(trials)
    for kept, found, expected in zip(*map(jax.tree.leaves, (stored, taken, trials)), strict=True):
        assert kept.shape == (2 * EPISODES, *expected.shape[1:])
        assert kept.dtype.itemsize <= expected.dtype.itemsize
        np.testing.assert_array_equal(found, expected)


def trial_of(problems, first, goals, actions, answers) -> Trial:
    """The same episodes again and again."""
    seen, mask = np.concatenate([first[:, None], answers.observation], axis=1), np.ones(answers.reward.shape, bool)
    one = Episodes(seen, actions, answers.reward, answers.terminated | answers.truncated, mask, goals)  # type: ignore
    counts = PROTOCOL.exploration_episodes, PROTOCOL.exploitation_episodes
    phases = (jax.tree.map(lambda x, n=n: np.repeat(x[:, None], n, axis=1), one) for n in counts)
    return Trial(problems, *phases, np.zeros(EPISODES, bool))  # type: ignore
