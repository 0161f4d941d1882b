"""Every grid family beside its rules written as plain Python, step by step on thousands of episodes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.grid_rules import BusRules, KitchenRules

from scoutrl.envs import registry
from scoutrl.envs.enumerable import EnumerableEnv
from scoutrl.envs.problems import SPLITS

BUSES = ["bus", "map", "distracting-bus"]
KITCHENS = ["cooking", "cooking-split"]
BOTH_IDS = [(name, ids) for name in ["distracting-bus", *KITCHENS] for ids in ["number", "components"]]
EPISODES = 1500


def way(x, y):
    """Actions that walk by (x, y)."""
    return [2 if x > 0 else 0] * abs(x) + [1 if y > 0 else 3] * abs(y)


def bus_plan(n, goal, rules):
    """To the stop whose bus goes next to the goal, there by bus, and the last step on foot."""
    stop, end = next((s, e) for s, e in rules.lines.items() if abs(e[0] - goal[0]) + abs(e[1] - goal[1]) == 1)
    return [*way(stop[0] - 4, stop[1] - 4), 5, *way(goal[0] - end[0], goal[1] - end[1])]


def kitchen_plan(n, goal, rules):
    """Both ingredients into the bowl, in order."""
    plan = []
    for wanted in goal:
        y = next(place[1] for place, content in rules.drawers.items() if content == wanted)
        plan += [2, *way(0, y - 1), 7, *way(0, 1 - y), 0, 8]
    return plan


@functools.cache
def played(name, ids="number"):
    """Random episodes, half of them near the best plan: numbers, goals, actions, and what the family answered."""
    env = registry.make(name, **({} if name in ("bus", "map") else {"ids": ids}))
    random = np.random.default_rng(len(name))
    numbers = random.integers(0, len(env.problems.ids), EPISODES)
    keys = jax.random.split(jax.random.key(7), EPISODES)
    states, first = jax.jit(jax.vmap(lambda p, k: env.reset(p, k)))(env.problems.ids[numbers], keys)
    goals = np.asarray(jax.vmap(lambda s: env.goal(s))(states))
    plan = bus_plan if name in BUSES else kitchen_plan
    actions = random.choice(9, (EPISODES, 20), p=[0.14, 0.14, 0.14, 0.14, 0.02, 0.14, 0.01, 0.14, 0.13])
    for i in range(0, EPISODES, 2):
        best = np.resize([*plan(numbers[i], goals[i], rules_of(name, numbers[i], goals[i])), 4], 20)
        noise = random.random(20) < (i % 6) / 20
        actions[i] = np.where(noise, actions[i], best)

    def episode(state, actions):
        return jax.lax.scan(lambda s, a: env.step(s, a, jax.random.key(0)), state, actions)[1]

    steps = jax.jit(jax.vmap(episode))(states, jnp.asarray(actions, jnp.int32))
    return numbers, goals, actions, np.asarray(first), jax.tree.map(np.asarray, steps)


def rules_of(name, n, goal):
    return BusRules(n, goal, name) if name in BUSES else KitchenRules(n, goal)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ids"), [("bus", "number"), ("map", "number"), *BOTH_IDS])
def test_every_step_follows_the_rules(name, ids):
    numbers, goals, actions, first, steps = played(name, ids)
    reached = given_up = timed_out = 0
    for i, (n, goal) in enumerate(zip(numbers, goals, strict=True)):
        rules = rules_of(name, int(n), goal.tolist())
        state = rules.start
        assert tuple(first[i]) == rules.observation(state)
        for t in range(20):
            state, observation, reward, terminated, truncated = rules.step(state, int(actions[i, t]))
            assert tuple(steps.observation[i, t]) == observation
            assert steps.reward[i, t] == pytest.approx(reward, abs=1e-6)
            assert (bool(steps.terminated[i, t]), bool(steps.truncated[i, t])) == (terminated, truncated)
            if terminated or truncated:
                reached += terminated and actions[i, t] != 6
                given_up += terminated and actions[i, t] == 6
                timed_out += not terminated
                break
    # The test means little unless episodes end in all three ways.
    assert min(reached, given_up, timed_out) > 50


@pytest.mark.parametrize("name", ["distracting-bus", *KITCHENS])
def test_the_form_of_the_id_changes_nothing(name):
    one, several = played(name, "number"), played(name, "components")
    jax.tree.map(np.testing.assert_array_equal, one, several)


@pytest.mark.parametrize("name", BUSES + KITCHENS)
def test_starts_are_what_reset_draws(name):
    env = registry.make(name)
    assert isinstance(env, EnumerableEnv)
    problem = jnp.asarray(env.problems.ids[-7])
    starts = env.starts(problem)
    drawn, _ = jax.vmap(lambda key: env.reset(problem, key))(jax.random.split(jax.random.key(1), 3000))
    kinds = [
        np.concatenate([np.asarray(x).reshape(len(x), -1) for x in jax.tree.leaves(t)], 1)
        for t in (starts.states, drawn)
    ]
    expected, got = {}, {}
    for row, likely in zip(kinds[0].tolist(), starts.probabilities, strict=True):
        expected[tuple(row)] = expected.get(tuple(row), 0.0) + float(likely)
    for row in kinds[1].tolist():
        got[tuple(row)] = got.get(tuple(row), 0.0) + 1 / 3000
    assert got == pytest.approx(expected, abs=0.05)


def test_splits():
    distracting, cooking, split = (registry.make(name).problems for name in ("distracting-bus", *KITCHENS))
    assert sorted([*distracting.train, *distracting.validation]) == list(range(0, 576, 11))
    assert [len(distracting.rows(name)) for name in SPLITS] == [48, 5, 523]
    assert cooking.test.tolist() == [10]
    assert [len(cooking.rows(name)) for name in SPLITS] == [57, 6, 1]
    assert [len(split.rows(name)) for name in SPLITS] == [44, 4, 16]
    assert 10 in split.test
    for problems in (distracting, cooking, split):
        assert sorted(np.concatenate([problems.rows(name) for name in SPLITS])) == list(range(len(problems.ids)))
        # Nothing of a problem in another split is new to one who has met the training problems.
        assert [set(column) for column in problems.of("train").T] == [set(column) for column in problems.ids.T]
    known = np.concatenate([split.of("train"), split.of("validation")])
    for drawer in range(3):
        assert np.bincount(known[:, drawer]).tolist() == [12] * 4
        assert np.bincount(split.of("test")[:, drawer]).tolist() == [4] * 4
    pairs = [{tuple(row) for row in split.of("train")[:, list(pair)]} for pair in ((0, 1), (0, 2), (1, 2))]
    assert [len(found) for found in pairs] == [16] * 3


def test_components():
    assert registry.make("distracting-bus").problems.ids[24 * 5 + 3].tolist() == [3, 5]
    assert registry.make("distracting-bus").problems.sizes == (24, 24)
    assert registry.make("cooking").problems.ids[10].tolist() == [2, 2, 0]
    assert registry.make("cooking", ids="number").problems.sizes == (64,)
