"""A family stepped from a plain Python loop."""

import numpy as np
import pytest
from probes.rooms import Rooms

from scoutrl import InteractiveEnv, ScoutError


def test_an_episode():
    world = InteractiveEnv(Rooms())
    assert world.reset(2, seed=1) == 0
    assert world.goal in (0, 1)
    observation, reward, terminated, truncated = world.step(0)
    assert (observation, terminated, truncated) == (2, False, False)
    assert type(reward) is float
    _, reward, terminated, truncated = world.step((1 + int(world.goal)) % 4)
    assert (reward, terminated, truncated) == (1.0, False, True)
    assert world.render().dtype == np.uint8


def test_the_seed_draws_the_goal():
    world = InteractiveEnv(Rooms())

    def goals(seeds):
        found = []
        for seed in seeds:
            world.reset(0, seed)
            found.append(int(world.goal))
        return found

    assert set(goals(range(9))) == {0, 1}
    assert goals(range(9)) == goals(range(9))


def test_time_is_up_at_the_horizon():
    world = InteractiveEnv(Rooms(tells_end=False))
    world.reset(0)
    assert [world.step(1)[3] for _ in range(2)] == [False, True]
    with pytest.raises(ScoutError, match="the episode is over"):
        world.step(1)


def test_mistakes_are_named():
    world = InteractiveEnv(Rooms())
    with pytest.raises(ScoutError, match="the episode is over"):
        world.step(0)
    with pytest.raises(ScoutError, match="nothing to draw"):
        world.render()
    with pytest.raises(ScoutError, match="no problem 8"):
        world.reset(8)
    world.reset(0)
    with pytest.raises(ScoutError, match="the action must be a whole number from 0 to 3"):
        world.step(4)
