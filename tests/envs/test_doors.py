"""`minigrid-doors`: what has to be found out, and what pays."""

import contextlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from trials.agents import Walker

from scoutrl.envs import registry
from scoutrl.evaluation.evaluate import same_agent
from scoutrl.trials.sampler import sampler_for
from scoutrl.trials.trial import Protocol

pytest.importorskip("minigrid", reason="MiniGrid is not installed: pip install 'scoutrl[minigrid]'")
LEFT, RIGHT, AHEAD, OPEN = range(4)
BALL = 6


@pytest.fixture(scope="module")
def family():
    return registry.make("minigrid-doors")


def begun(family, row, facing):
    env = family.source.job.new(row)
    env.reset(seed=0)
    env.unwrapped.agent_dir = facing
    return env


def shows_ball(seen) -> bool:
    return bool((seen["image"][:, :, 0] == BALL).any())


def test_problems_and_spaces(family):
    assert registry.name_of(family) == "minigrid-doors"
    assert len(family.problems.train) == 14
    assert len(family.problems.test) == 4
    assert len(np.unique(family.problems.ids[family.problems.test][:, 0])) == 3
    assert family.spaces.observation.nvec.tolist() == [4, *[11] * 75]
    assert family.spaces.action.n == 4


@pytest.mark.parametrize(("name", "facing"), [("down", 1), ("left", 2), ("up", 3)])
def test_the_door_of_the_balls_colour_pays_and_others_cost(family, name, facing):
    place = family.problems.names.index(name)
    for row, problem in enumerate(family.problems.ids):
        env = begun(family, row, facing)
        *_, last = (env.step(action) for action in (AHEAD, AHEAD, OPEN))
        assert last[1:4] == (1.0 if problem[place] == problem[0] else -1.0, True, False)


def test_the_ball_is_seen_after_two_steps_and_not_before(family):
    for facing in range(4):
        env = begun(family, 0, facing)
        assert not any(shows_ball(env.step(LEFT)[0]) for _ in range(4))
    env = begun(family, 0, 0)
    assert [shows_ball(env.step(AHEAD)[0]) for _ in range(2)] == [False, True]


def test_there_is_no_time_to_look_and_then_to_open(family):
    """The shortest ways from where the ball is seen to where a door can be opened, by breadth-first search."""
    start: tuple[int, int, int] = (5, 3, 0)
    reached: dict[tuple[int, int, int], int] = {start: 2}
    steps = list(reached)
    grid = begun(family, 0, 0).unwrapped.grid
    for x, y, facing in steps:
        ahead = x + (1, 0, -1, 0)[facing], y + (0, 1, 0, -1)[facing]
        to = {(x, y, (facing + 1) % 4), (x, y, (facing - 1) % 4)}
        to |= {(*ahead, facing)} if grid.get(*ahead) is None else set()
        for one in to - set(reached):
            reached[one] = reached[x, y, facing] + 1
            steps.append(one)
    assert min(1 + reached[place] for place in ((3, 1, 3), (1, 3, 2), (3, 5, 1))) > family.horizon


@pytest.mark.slow
def test_workers_step_it(family):
    with contextlib.closing(sampler_for(family)) as sampler:
        ids, keys = jnp.asarray(family.problems.ids[:3]), jax.random.split(jax.random.key(0), 3)
        trials = sampler.sample(eqx.Partial(same_agent, Walker(AHEAD)), ids, keys, Protocol())
    assert trials.exploration.lengths.tolist() == [[8]] * 3
    assert not trials.exploration.rewards.any()
