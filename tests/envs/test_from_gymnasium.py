"""Families of Gymnasium environments: problems and their IDs, goals, codes, and what is refused."""

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from gymnasium.vector import SyncVectorEnv

from scoutrl import ProblemSet, ScoutError, from_gymnasium
from scoutrl.envs.host.problems import read_problems


class Plain(gymnasium.Env):
    """Answers what it is told to."""

    observation_space, action_space = Discrete(3), Discrete(2)
    seen: object = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.seen, {"goal": self.np_random.integers(4)}

    def step(self, action):
        return self.seen, 0.0, False, False, {}


def family(env=Plain, problems=({"n": 0}, {"n": 1}), horizon=5, **options):
    return from_gymnasium(lambda problem: env(), list(problems), horizon, **options)


AT = ("at[0]", "at[1]=1", "at[1]=2")


@pytest.mark.parametrize(
    ("rows", "ids", "names"),
    [
        ([{"n": 5, "m": 1}, {"n": -3, "m": 1}], [[1], [0]], ("n",)),
        ([{"word": "b"}, {"word": "a"}, {"word": "c"}], [[1], [0], [2]], ("word",)),
        ([{"on": False, "n": 1}, {"on": True, "n": 2}], [[0, 0], [1, 1]], ("on", "n")),
        ([{"map": ["SF", "HG"]}, {"map": ["SH", "FG"]}], [[0, 1], [1, 0]], ("map[0][1]", "map[1][0]")),
        ([{"at": [0.5, 1]}, {"at": (0.5, 2)}, {"at": [0.75, 1]}], [[0.5, 1, 0], [0.5, 0, 1], [0.75, 1, 0]], AT),
        ([{"map": ["SF"]}, {"map": ["S", "G"]}, {"map": {"a": 1}}], [[0], [1], [2]], ("map",)),
        ([{"x": 0.5, "y": 1.0}, {"x": 2, "y": 3.0}], [[0.5, 1.0], [2.0, 3.0]], ("x", "y")),
        ([{"x": 0.5, "c": "b"}, {"x": 1.5, "c": "a"}], [[0.5, 0, 1], [1.5, 1, 0]], ("x", "c=a", "c=b")),
        ([{"only": 3}], [[0]], ("only",)),
    ],
)
def test_ids_are_found_from_the_arguments_that_differ(rows, ids, names):
    problems, arguments = read_problems(rows)
    assert problems.ids.tolist() == ids
    assert problems.ids.dtype == (np.float32 if isinstance(ids[0][0], float) else np.int32)
    assert problems.names == names
    assert list(arguments) == rows


def test_a_fifth_of_a_list_is_kept_for_the_test_and_of_a_short_one_nothing():
    problems, _ = read_problems([{"n": n} for n in range(50)])
    assert len(problems.test) == 10
    assert not {*problems.test} & {*problems.train, *problems.validation}
    assert problems.test.tolist() == read_problems([{"n": n} for n in range(50)])[0].test.tolist()
    problems, _ = read_problems([{"n": n} for n in range(4)])
    assert problems.train.tolist() == problems.test.tolist() == [0, 1, 2, 3]
    splits = {"train": [{"n": 0}, {"n": 1}], "validation": [{"n": 2}], "test": [{"n": 3}]}
    problems, _ = read_problems(splits)
    assert [problems.rows(split).tolist() for split in ("train", "validation", "test")] == [[0, 1], [2], [3]]


def test_a_problem_set_gives_each_environment_its_numbers_by_name():
    problems = ProblemSet({"mass": [0.5, 1.5], "length": [1, 2]}, [0], [1])
    assert problems.ids.tolist() == [[0.5, 1], [1.5, 2]]
    assert read_problems(problems)[1] == ({"mass": 0.5, "length": 1.0}, {"mass": 1.5, "length": 2.0})


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        ([], "at least one"),
        ("words", "list of keyword arguments"),
        ([1, 2], "problem 0 must be keyword arguments"),
        ([{"a": 1}, {"b": 1}], "problem 1 has the arguments"),
        ([{"a": 1}, {"a": 1}], "must differ"),
        ({"train": [{"a": 1}]}, "lists named train, test"),
    ],
)
def test_problems_that_make_no_sense(problems, said):
    with pytest.raises(ScoutError, match=said):
        read_problems(problems)


class Reacher(Plain):
    observation_space = Dict({"at": Box(-1, 1, (2,)), "desired_goal": Box(-1, 1, (2,)), "on": Discrete(2)})

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        goal = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        self.seen = {"at": np.zeros(2, np.float32), "desired_goal": goal, "on": 1}
        return self.seen, {}


def test_a_desired_goal_is_no_part_of_the_observation():
    found = family(Reacher)
    assert found.spaces.goal == Box(-1, 1, (2,))
    assert found.spaces.observation.shape == (4,)
    assert found.goals is not None
    assert len(np.unique(found.goals, axis=0)) == len(found.goals) == 8
    assert found.sample_goal(jax.random.key(0)).tolist() in found.goals.tolist()


def test_a_goal_in_info_needs_its_space():
    found = family(goal="goal", goal_space=Discrete(4))
    assert found.spaces.goal == Discrete(4)
    assert found.goals is not None
    assert set(found.goals.tolist()) <= {0, 1, 2, 3}
    with pytest.raises(ScoutError, match=r"give its space as goal_space"):
        family(goal="goal")
    with pytest.raises(ScoutError, match="no 'price'"):
        family(goal="price", goal_space=Discrete(4))


class Grid(Plain):
    observation_space, seen = Box(0, 255, (3, 3), np.uint8), np.full((3, 3), 20, np.uint8)


def test_codes_of_a_small_grid_are_those_that_occur_or_those_that_are_said():
    assert family(Grid).spaces.observation == MultiDiscrete([32] * 9)
    assert family(Grid, codes=21).spaces.observation == MultiDiscrete([21] * 9)
    with pytest.raises(ScoutError, match=r"holds the code 20.*codes=21"):
        family(Grid, codes=20)


def makes(what):
    def make(problem):
        print("made")
        if problem["n"] == 1:
            return what()
        return Plain()

    return make


def leave():
    raise SystemExit("enough")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (makes(leave), r"make, for problem {'n': 1}, raised SystemExit: enough"),
        (makes(dict), "make must return a gymnasium.Env; it returned a dict"),
        (lambda problem: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda: Plain(), "raised TypeError"),
    ],
)
def test_a_make_that_fails_is_told_of_with_its_problem(make, said, capsys):
    problems = {"train": [{"n": 1}], "test": [{"n": 0}]}
    with pytest.raises(ScoutError, match=said) as refusal:
        from_gymnasium(make, problems, 5)
    assert "\n" not in str(refusal.value)
    assert capsys.readouterr().out == ""


def test_a_vector_environment_is_refused_with_what_to_give_in_its_place():
    vector = SyncVectorEnv([Plain, Plain])
    for make in (vector, lambda problem: vector):
        with pytest.raises(ScoutError, match=r"SyncVectorEnv is many .*function that makes a single one"):
            from_gymnasium(make, [{"n": 0}, {"n": 1}], 5)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"seen": 1.5 + 1j}, "an array of shape"),
        ({"reset": lambda self, **_: 0}, r"raised TypeError"),
        ({"step": lambda self, action: (0, None, False, False, {})}, "the reward None"),
        ({"step": lambda self, action: (0, 0.0, False, {})}, "step returned no"),
    ],
)
def test_an_environment_that_answers_wrongly(attributes, said):
    with pytest.raises(ScoutError, match=said):
        family(type("Wrong", (Plain,), attributes))


@pytest.mark.parametrize(
    ("options", "said"),
    [({"horizon": 0}, "at least 1"), ({"horizon": None}, "horizon=…"), ({"time_limit": "never"}, "time_limit")],
)
def test_options_that_make_no_sense(options, said):
    with pytest.raises(ScoutError, match=said):
        family(**options)
