"""`xland`: which rule sets there are, what they are called, and that XLand-MiniGrid's own environments are stepped."""

import itertools
import zlib
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.envs import registry
from scoutrl.envs.spot import spot
from scoutrl.envs.xland import family as families
from scoutrl.envs.xland.codes import BESIDE_AGENT, BESIDE_THING, HOLD, condition, consequence
from scoutrl.envs.xland.rule_sets import trivial
from scoutrl.envs.xland.shapes import CELL
from scoutrl.errors import ScoutError

RED_BALL, GREEN_KEY, BLUE_STAR = (3, 1), (7, 2), (12, 3)


def test_without_xland_minigrid_it_says_what_to_install(monkeypatch):
    for module in (registry, families):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "xland" not in registry.families()
    with pytest.raises(ScoutError, match=r"^xland needs XLand-MiniGrid: pip install 'scoutrl\[xland\]'\.$"):
        registry.make("xland")


def test_a_trivial_rule_set_is_a_goal_whose_things_lie_among_others():
    sets = trivial(1000)
    assert len(np.unique(sets.goal, axis=0)) == 1000
    assert sets.rules.size == 0
    assert set(sets.goal[:, 0].tolist()) == {HOLD, *BESIDE_AGENT, *BESIDE_THING}
    for goal, tiles in zip(sets.goal.tolist(), sets.init_tiles.tolist(), strict=True):
        count = 2 if goal[0] in BESIDE_THING else 1
        wanted = [goal[1 + 2 * i : 3 + 2 * i] for i in range(count)]
        assert tiles[:count] == wanted
        assert not any(thing in wanted for thing in tiles[count : count + 3])
        assert tiles[count + 3 :] == [[0, 0]] * (2 - count)
        assert goal[1 + 2 * count :] == [0] * (4 - 2 * count)
        assert 6 not in ([goal[1]] if goal[0] == HOLD else goal[3:4])  # what has to be picked up can be


def test_trivial_rule_sets_are_always_the_same_and_the_first_of_more():
    few, more = trivial(20), trivial(50)
    assert (few.goal == more.goal[:20]).all()
    assert (few.init_tiles == more.init_tiles[:20]).all()
    assert zlib.crc32(more.goal.tobytes() + more.init_tiles.tobytes()) == 2886317082


def test_all_parts_of_an_unseen_rule_set_were_seen_in_others():
    problems = trivial(1000).problems()
    assert [len(problems.rows(split)) for split in ("train", "validation", "test")] == [720, 80, 200]
    assert problems.names[:5] == ("goal[0]", "goal[1]", "goal[2]", "goal[3]", "goal[4]")
    for column in problems.ids.T:
        assert {*column[problems.test]} <= {*column[problems.train]}


def test_goals_and_rules_in_words():
    assert condition((HOLD, *RED_BALL, 0, 0)) == "hold the red ball"
    assert condition((3, *RED_BALL, 0, 0)) == "stand beside the red ball"
    assert condition((4, *RED_BALL, *GREEN_KEY)) == "the green key beside the red ball"
    assert consequence((1, *RED_BALL, *GREEN_KEY, 0, 0)) == "hold the red ball makes the green key"
    rule = (3, *RED_BALL, *GREEN_KEY, *BLUE_STAR)
    assert consequence(rule) == "the green key beside the red ball makes the blue star"


@pytest.fixture
def xminigrid():
    return pytest.importorskip("xminigrid", reason="the extra scoutrl[xland] is not installed")


SIDES = {"above": (-1, 0), "right of": (0, 1), "below": (1, 0), "left of": (0, -1)}
"""Where something is that is on such a side of something else: rows down, columns right."""


@pytest.mark.slow
def test_sides_in_words_are_those_that_the_goals_check(xminigrid):
    goals_of_xland, types = (import_module(f"xminigrid.{part}") for part in ("core.goals", "types"))
    cases = list(itertools.product(SIDES, (*BESIDE_AGENT[1:], *BESIDE_THING[1:])))
    places = np.array([(1 + SIDES[side][0], 1 + SIDES[side][1]) for side, _ in cases])
    second = [GREEN_KEY if kind in BESIDE_THING else (0, 0) for _, kind in cases]
    goals = np.array([(kind, *RED_BALL, *thing) for (_, kind), thing in zip(cases, second, strict=True)], np.uint8)
    grids = np.ones((len(cases), 3, 3, 2), np.uint8)
    grids[:, 1, 1] = RED_BALL
    grids[np.arange(len(cases)), *places.T] = GREEN_KEY

    def holds(goal, grid, place):
        return goals_of_xland.check_goal(goal, grid, types.AgentState(position=place), 4, jnp.array([1, 1]))

    found = jax.jit(jax.vmap(holds))(goals, grids, places).tolist()
    for (side, kind), goal, one in zip(cases, goals.tolist(), found, strict=True):
        subject = "the green key" if kind in BESIDE_THING else "stand"
        assert one == (condition(goal) == f"{subject} {side} the red ball")


def test_options_are_refused_in_one_line(xminigrid):
    for options, said in (
        ({"problems": 9}, "option problems of xland is at least 10; it cannot be 9"),
        ({"problems": 21_001}, "at most 21000 with benchmark=trivial; it cannot be 21001"),
        ({"layout": "R3-9x9"}, "option layout of xland is one of R1-9x9, .*; it cannot be 'R3-9x9'"),
        ({"benchmark": "tiny"}, "option benchmark of xland is one of trivial, trivial-21k, .* it cannot be 'tiny'"),
        ({"horizon": 0}, "horizon must be a whole number of at least 1"),
    ):
        with pytest.raises(ScoutError, match=said):
            registry.make("xland", **options)


@pytest.mark.slow
def test_an_official_benchmark_is_read_where_it_is_and_never_downloaded(xminigrid, tmp_path, monkeypatch):
    benchmarks = import_module("xminigrid.benchmarks")
    monkeypatch.setattr(benchmarks, "DATA_PATH", str(tmp_path))
    with pytest.raises(ScoutError, match=r"small_1m\w* is not there; to download it: python -c"):
        registry.make("xland", benchmark="small-1m", problems=12)
    drawn = trivial(12)
    rules = np.zeros((12, 3, 7), np.uint8)
    rules[:, 0] = [(3, *RED_BALL, *GREEN_KEY, 12, number % 11 + 1) for number in range(12)]
    content = {"goals": drawn.goal, "rules": rules, "init_tiles": drawn.init_tiles, "num_rules": np.ones((12, 1))}
    path = tmp_path / benchmarks.NAME2HFFILENAME["small-1m"]
    benchmarks.save_bz2_pickle({name: jnp.asarray(array) for name, array in content.items()}, str(path))
    family = registry.make("xland", benchmark="small-1m", problems=11, horizon=5)
    assert (len(family.problems.ids), family.horizon, registry.name_of(family)) == (11, 5, "xland")
    assert family.rows.values["ruleset"].rules.shape == (11, 1, 7)
    words = family.describe().problem
    assert words is not None
    assert words(family.problems.ids[2]).endswith("; the green key beside the red ball makes the blue star")
    with pytest.raises(ScoutError, match="option problems of xland is 13, and small-1m has 12 rule sets"):
        registry.make("xland", benchmark="small-1m", problems=13)


@pytest.mark.slow
def test_it_is_xlands_own_environment_that_is_stepped(xminigrid):
    family = registry.make("xland", problems=200, horizon=60)
    env, params = xminigrid.make("XLand-MiniGrid-R1-9x9", max_steps=60)

    @jax.jit
    def adapted(problem, key, actions):
        state, first = family.reset(problem, key)
        state, answers = jax.lax.scan(lambda state, action: family.step(state, action, key), state, actions)
        return first, state, answers

    @jax.jit
    def own(rule_set, key, actions):
        begun = env.reset(given := params.replace(ruleset=rule_set), key)
        return begun, jax.lax.scan(lambda now, action: (env.step(given, now, action),) * 2, begun, actions)[1]

    lengths, end, answers = [], None, None
    for row, key in enumerate(jax.random.split(jax.random.key(0), 32)):
        actions = jax.random.randint(key, (60,), 0, 6)
        first, end, answers = adapted(family.rows.ids[row], key, actions)
        begun, later = own(jax.tree.map(lambda leaf, row=row: leaf[row], family.rows.values["ruleset"]), key, actions)
        assert first.tolist() == [*begun.observation.ravel(), begun.state.agent.direction]
        np.testing.assert_array_equal(answers.observation[:, :50], later.observation.reshape(60, 50))
        np.testing.assert_array_equal(answers.observation[:, 50], later.state.agent.direction)
        np.testing.assert_array_equal(answers.reward, later.reward)
        np.testing.assert_array_equal(answers.terminated, later.discount == 0)
        lengths += [(step + 1, answers.reward[step]) for step in np.flatnonzero(answers.terminated)[:1]]
    assert lengths
    assert answers is not None
    assert [float(reward) for _, reward in lengths] == pytest.approx([1 - 0.9 * step / 60 for step, _ in lengths])
    drawn_as_it_is(family, end, np.asarray(answers.observation[-1]))


def drawn_as_it_is(family, state, observation):
    """The picture shows the cells that are seen brighter than others, and the agent where it is."""
    picture, inner = np.asarray(jax.jit(lambda state: family.render(state))(state)), state.inner.state
    row, column = inner.agent.position.tolist()
    assert spot(family, state).tolist() == [CELL * (column + 0.5), CELL * (row + 0.5)]
    assert tuple(picture[int(CELL * (row + 0.5)), int(CELL * (column + 0.5))]) == (214, 69, 69)
    grid = np.asarray(inner.grid)
    walls = [cell for cell in itertools.product(range(9), range(9)) if grid[cell][0] == 2]
    dark = [cell for cell in walls if picture[CELL * cell[0] + 3, CELL * cell[1] + 3, 0] < 150]
    assert len(dark) == (observation[:50:2] == 2).sum()
