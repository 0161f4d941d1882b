"""Families of JAX suites: what is reset and stepped, how episodes end, problems, spaces, and what is refused."""

import sys
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces as gym
from probes import suites

import scoutrl
from scoutrl import ProblemSet, ScoutError, from_brax, from_gymnax, from_timestep
from scoutrl.envs.check import check, check_render
from scoutrl.envs.describe import Description
from scoutrl.envs.spot import spot
from scoutrl.envs.suites.problems import read_problems
from scoutrl.envs.suites.rows import Rows
from scoutrl.envs.suites.spaces import actions_of, of_array, of_space

STRIDES = ProblemSet({"stride": [1, 2]}, [0], [1])
PLACES = suites.Rule(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8), np.full((4, 3), 5, np.uint8))
GRAVITY = {"sys.opt.gravity": [0.5, 1.0, 3.0]}


def played(family, row, actions):
    """What an episode shows: observations with the first one, rewards, and how each step ended."""
    state, first = family.reset(jnp.asarray(family.problems.ids[row]), scoutrl.prng.key(0))

    def step(state, action):
        state, answer = family.step(state, action, scoutrl.prng.key(1))
        return state, answer

    _, answers = jax.lax.scan(step, state, jnp.asarray(actions))
    seen = np.concatenate([np.asarray(first)[None], answers.observation])
    ends = ["T" if t else "-" if not c else "C" for t, c in zip(answers.terminated, answers.truncated, strict=True)]
    return seen, np.asarray(answers.reward), "".join(ends)


@pytest.mark.parametrize("env", [suites.Walk(), suites.WalkOf1(), suites.WalkOf6()], ids=["0", "1", "6"])
def test_gymnax_like_steps_with_the_parameters_of_the_problem_and_tells_ends_apart(env):
    family = from_gymnax(env, suites.Params(), STRIDES)
    assert (family.horizon, family.name, family.spaces.action) == (5, "Walk-v0", gym.Discrete(3))
    seen, rewards, ends = played(family, 0, [2, 1, 2, 0, 0])
    assert seen.tolist() == [[0, 0], [1, 1], [1, 2], [2, 3], [1, 4], [0, 5]]
    assert rewards.tolist() == [1, 1, 2, 1, 0]
    assert ends == "----C"
    assert played(family, 1, [2, 2])[2] == "-T"


def test_xminigrid_like_takes_rule_sets_as_problems():
    env, params = suites.Mini(), suites.MiniParams(suites.Rule(PLACES.place[0], PLACES.hint[0]))
    family = from_timestep(env, params, {"rule": PLACES}, codes=8)
    assert family.problems.ids.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]  # what does not differ is left out
    assert family.problems.names == ("rule.place[0]", "rule.place[1]")
    assert family.spaces.observation == gym.MultiDiscrete([8] * 4)
    seen, rewards, ends = played(family, 2, [0, 2])
    assert seen.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 7, 0]]
    assert (rewards.tolist(), ends) == ([0, 1], "-T")
    assert played(family, 2, [0, 0, 0, 0])[2] == "---C"


def test_jumanji_like_and_navix_like_take_attributes_as_problems():
    family = from_timestep(suites.Rooms(), None, ProblemSet({"secret": range(4)}, range(4), range(4)))
    assert (family.horizon, family.spaces.observation) == (2, gym.Discrete(5))
    assert [list(part) for part in played(family, 3, [0, 3])] == [[0, 4, 0], [0, 1], ["-", "C"]]
    family = from_timestep(suites.Count(), None, {"most": [1, 2, 3]})
    assert played(family, 1, [1, 0, 1])[2] == "--T"
    assert played(family, 2, [1, 0, 1])[2] == "--C"
    assert family.spaces.observation == gym.Discrete(10)


def test_brax_like_replaces_what_lies_deep_and_tells_ends_apart():
    actions = np.zeros((3, 1), np.float32)
    family = from_brax(suites.Fall(), GRAVITY, 10, time_limit="bootstrap")
    assert (family.time_limit, family.spaces.action.shape) == ("bootstrap", (1,))
    assert played(family, 1, actions)[0].ravel().tolist() == [3, 2, 1, 0]
    assert played(family, 1, actions)[2] == "--T"
    family = from_brax(suites.Episodes(suites.Fall(), 3), GRAVITY)
    assert (family.horizon, family.name) == (3, "Fall")
    assert [played(family, row, actions)[2] for row in range(3)] == ["--C", "--T", "TTT"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "family",
    [
        from_gymnax(suites.Walk(), suites.Params(), STRIDES),
        from_timestep(suites.Mini(), suites.MiniParams(suites.Rule(0, 0)), {"rule": PLACES}),
        from_brax(suites.Episodes(suites.Fall(), 4), GRAVITY),
    ],
    ids=["gymnax", "timestep", "brax"],
)
def test_families_keep_all_promises_and_are_drawn(family):
    check(family)
    check_render(family)
    world = scoutrl.InteractiveEnv(family)
    world.reset(1)
    assert world.render().shape == (64, 160, 3)


def test_pictures_and_words_of_ones_own_are_those_of_the_family():
    family = from_gymnax(
        suites.Walk(),
        suites.Params(),
        STRIDES,
        render=lambda state: jnp.full((20, 20, 3), state.x, jnp.uint8),
        spot=lambda state: jnp.stack([state.x, state.time]),
        describe=Description(["left", "stay", "right"]),
    )
    state, _ = family.reset(jnp.asarray(family.problems.ids[1]), scoutrl.prng.key(0))
    state, _ = family.step(state, jnp.int32(2), scoutrl.prng.key(0))
    assert (family.render(state) == 2).all()
    assert spot(family, state).tolist() == [2, 1]
    assert family.describe().actions[2] == "right"
    assert np.isnan(spot(from_gymnax(suites.Walk(), suites.Params(), STRIDES), state)).all()


@pytest.mark.slow
def test_a_family_is_named_trained_evaluated_and_filmed(tmp_path, monkeypatch):
    source = (
        "from probes import suites\nimport scoutrl\nids = scoutrl.ProblemSet({'secret': range(4)}, range(3), [3])\n"
    )
    (tmp_path / "my_suite.py").write_text(source + "rooms = scoutrl.from_timestep(suites.Rooms(), None, ids)\n")
    monkeypatch.chdir(tmp_path)
    how = {"out": "runs/rooms", "settings": {"iterations": 1}, "show": False}
    run = scoutrl.train("probes.scripted:Script", "my_suite:rooms", 16, **how)
    assert scoutrl.evaluate(run, trials=4, trust=True).exploitation_return.mean == 2
    assert len(scoutrl.film(run, "films", trust=True)) == 1
    how["out"] = "runs/object"
    rooms = sys.modules["my_suite"].rooms
    run = scoutrl.train("probes.scripted:Script", rooms, 16, **how)
    assert scoutrl.evaluate(run, trials=4).exploitation_return.mean == 2
    with pytest.raises(ScoutError, match="family Rooms was given as an object"):
        scoutrl.load(run.path)
    sys.modules.pop("my_suite")


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_every_id_finds_its_own_row(kind):
    ids = np.unique(np.random.default_rng(0).integers(0, 5, (60, 3)), axis=0).astype(kind)
    ids = np.random.default_rng(1).permutation(ids)
    rows = Rows(ProblemSet(ids, [0], [0]), {"row": np.arange(len(ids))})
    assert jax.vmap(rows.of)(jnp.asarray(ids))["row"].tolist() == list(range(len(ids)))


@pytest.mark.parametrize(
    ("values", "ids", "names"),
    [
        ({"n": [7, -3], "m": [1, 1]}, [[1], [0]], ("n",)),
        ({"x": [0.5, 1.5], "on": [True, False]}, [[0.5, 0, 1], [1.5, 1, 0]], ("x", "on=False", "on=True")),
        ({"v": np.array([[0.0, 1], [0, 2]])}, [[1], [2]], ("v[1]",)),
        ({"only": [4]}, [[0]], ("problem",)),
    ],
)
def test_ids_are_found_from_the_values_that_differ(values, ids, names):
    problems, _ = read_problems(values, None)
    assert (problems.ids.tolist(), problems.names) == (ids, names)


def test_splits_are_given_or_a_fifth_is_kept_for_the_test():
    assert len(read_problems({"n": range(50)}, None)[0].test) == 10
    given = {"train": {"n": [0, 1]}, "test": {"n": [2]}}
    problems, values = read_problems(given, None)
    assert (problems.train.tolist(), problems.test.tolist(), values["n"].tolist()) == ([0, 1], [2], [0, 1, 2])
    problems, values = read_problems(ProblemSet([3, 1], [0], [1]), {"n": [5.0, 6.0]})
    assert (problems.ids.tolist(), values["n"].tolist()) == ([[3], [1]], [5, 6])


SPACES = [
    (gym.MultiBinary(2), [0, 1], gym.MultiDiscrete([2, 2]), [0, 1]),
    (suites.Discrete(9, (1, 2)), [[8, 0]], gym.MultiDiscrete([9, 9]), [8, 0]),
    (gym.Discrete(3, start=2), 4, gym.Discrete(3), 2),
    (suites.Box(0, 3, (2,), jnp.int32), [3, 0], gym.MultiDiscrete([4, 4]), [3, 0]),
    (suites.Box(0, 255, (1, 2), jnp.uint8), [[3, 9]], gym.MultiDiscrete([16, 16]), [3, 9]),
    (suites.Box(-1, 1, (1, 2)), [[0.5, -1]], gym.Box(-1, 1, (2,), np.float32), [0.5, -1]),
    (gym.Dict(a=gym.Discrete(2), b=gym.Discrete(3)), {"a": 1, "b": 2}, gym.MultiDiscrete([2, 3]), [1, 2]),
    (
        gym.Tuple([gym.MultiDiscrete([2, 3]), gym.Box(-2, 2, (1,))]),
        ([1, 0], [0.5]),
        gym.Box(np.array([0, 0, 0, 0, 0, -2], np.float32), np.array([1, 1, 1, 1, 1, 2], np.float32)),
        [0, 1, 1, 0, 0, 0.5],
    ),
]


@pytest.mark.parametrize(("theirs", "value", "space", "read"), SPACES)
def test_spaces_are_read_from_their_attributes(theirs, value, space, read):
    reader = of_space(theirs, "it", 16)
    value = jax.tree.map(jnp.asarray, value, is_leaf=lambda part: isinstance(part, list))
    assert reader.space == space
    assert reader.read(value).tolist() == read


def test_codes_beside_numbers_are_one_hot_and_arrays_are_read_without_a_space():
    shapes = {"cells": jax.ShapeDtypeStruct((1, 2), np.uint8), "x": jax.ShapeDtypeStruct((), np.float32)}
    reader = of_array(shapes, "it", 3)
    assert reader.space.shape == (7,)
    value = {"cells": jnp.array([[2, 0]], jnp.uint8), "x": jnp.float32(0.5)}
    assert reader.read(value).tolist() == [0, 0, 1, 1, 0, 0, 0.5]


def test_actions_are_made_those_of_the_suite():
    numbered = actions_of(gym.MultiDiscrete([2, 3], start=[1, 0]), "it")
    assert numbered.read(jnp.array([1, 2])).tolist() == [2, 2]
    real = actions_of(suites.Box(-2, 2, (1, 2)), "it")
    assert (real.space, real.read(jnp.zeros(2)).shape) == (gym.Box(-2, 2, (2,)), (1, 2))


def test_an_observation_of_ones_own_takes_the_place_of_the_suites():
    family = from_gymnax(
        suites.Walk(), suites.Params(), STRIDES, observe=lambda seen: seen[:1], observation_space=gym.Box(-9, 9, (1,))
    )
    assert family.spaces.observation == gym.Box(-9, 9, (1,))
    assert played(family, 1, [2])[0].tolist() == [[0], [2]]


WRONG: Any = [[1, 2], "no"]
PICTURE = suites.Box(0.0, 1.0, (30, 30, 3))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: from_gymnax(suites.Fall(), suites.Params(), STRIDES), "Fall has no reset_env and step_env"),
        (lambda: from_timestep(object(), None, STRIDES), "object has no reset and step"),
        (lambda: from_brax(suites.Rooms(), GRAVITY), "Rooms has no reset and action_size"),
        (lambda: from_brax(suites.AutoResetWrapper(suites.Fall(), 3), GRAVITY), "without AutoResetWrapper"),
        (lambda: from_brax(suites.Fall(), GRAVITY), "say how many steps an episode of Fall lasts: horizon="),
        (lambda: from_gymnax(suites.Walk(), suites.Params(), STRIDES, 0), "horizon must be a whole number of at least"),
        (lambda: from_gymnax(suites.Walk(), suites.Params(), {"sride": [1, 2]}), "no field 'sride'; it has max_steps"),
        (lambda: from_gymnax(suites.Walk(), suites.Params(), {"stride": [1, 1]}), "rows repeat another one"),
        (
            lambda: from_gymnax(suites.Walk(), suites.Params(), WRONG[0]),
            "problems are a scoutrl.ProblemSet, or values",
        ),
        (lambda: from_gymnax(suites.Walk(), suites.Params(), {"a": [1], "b": [1, 2]}), "one row for each problem"),
        (lambda: from_gymnax(suites.Walk(), suites.Params(), STRIDES, rows={"stride": [1]}), "rows has 1 rows, and"),
        (lambda: from_gymnax(suites.Walk(), suites.Params(), STRIDES, time_limit=WRONG[1]), "time_limit must be"),
        (lambda: of_space(object(), "the observation", 16), "has a object space, which cannot be told"),
        (lambda: of_space(PICTURE, "the observation", 16), "pictures are uint8"),
        (lambda: of_array({"s": "text"}, "the observation", 16), r"the observation\['s'\] is a str; say"),
        (lambda: actions_of(suites.Box(-jnp.inf, 1, (2,)), "the action"), "needs finite bounds"),
        (lambda: actions_of(None, "the action"), "cannot be told; say it with action_space"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong, said):
    with pytest.raises(ScoutError, match=said) as refused:
        wrong()
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_an_adapted_family_computes_what_the_same_family_written_for_scout_does():
    class Native(scoutrl.MetaEnv):
        problems: ProblemSet = STRIDES
        spaces: scoutrl.Spaces = scoutrl.Spaces(gym.Box(-np.inf, np.inf, (2,), np.float32), gym.Discrete(3))
        horizon: int = eqx.field(static=True, default=5)

        def reset(self, problem, key):
            return (jnp.float32(0), jnp.int32(0), jnp.float32(problem[0])), jnp.zeros(2)

        def goal(self, state):
            return None

        def step(self, state, action, key):
            x, time, stride = state[0] + (action - 1) * state[2], state[1] + 1, state[2]
            return (x, time, stride), scoutrl.Step(jnp.stack([x, time]), x, x >= 3, (time >= 5) & ~(x >= 3))

        def render(self, state):
            return jnp.zeros((1, 1, 3), jnp.uint8)

    mine, theirs = Native(), from_gymnax(suites.Walk(), suites.Params(), STRIDES)
    for row in (0, 1):
        for one, other in zip(played(mine, row, [2, 2, 0, 1, 2]), played(theirs, row, [2, 2, 0, 1, 2]), strict=True):
            assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
