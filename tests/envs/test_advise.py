"""`scout check` on a family on the host: what users do wrong is said in a sentence."""

import random

import gymnasium
import pytest
from gymnasium.spaces import Discrete
from probes.gym_rooms import rooms

import scoutrl
from scoutrl import ScoutError, from_gymnasium


class Door(gymnasium.Env):
    """Pays behind one of three doors."""

    def __init__(self, door: int = 0):
        self.observation_space, self.action_space, self.door, self.steps = Discrete(2), Discrete(3), door, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return 0, {}

    def step(self, action):
        self.steps += 1
        return int(action == self.door), float(action == self.door), False, self.steps == 3, {}


def said(make, horizon=5, **options) -> str:
    return "\n".join(scoutrl.check(from_gymnasium(make, [{"door": door} for door in range(3)], horizon, **options)))


def test_of_a_sound_family_nothing_bad_is_said():
    advice = scoutrl.check(rooms)
    assert not any("alike" in line or "not repeat" in line or "earned" in line for line in advice)
    assert "Goals are 'order' of the info: Discrete(2)." in advice[0]
    assert any(
        line.startswith("Random episodes last 2.0 of at most 2 steps; 0% are terminated, 100%") for line in advice
    )
    assert "There are 4 problems: 4 for train, 4 for validation, 4 for test." in advice


def test_problems_that_change_nothing():
    assert "3 problems behaved alike" in said(lambda problem: Door())
    assert "alike" not in said(lambda problem: Door(problem["door"]))


class Seeded(Door):
    def step(self, action):
        return super().step(random.randrange(3))


def test_numbers_that_no_seed_draws():
    assert "runs will not repeat" in said(lambda problem: Seeded(problem["door"]))
    assert "not repeat" not in said(lambda problem: Door(problem["door"]))


def test_rewards_that_are_never_met():
    assert "12 random episodes earned 0 each" in said(lambda problem: Door(problem["door"] + 7))


def test_time_that_ends_the_return():
    assert "say time_limit='bootstrap'" in said(lambda problem: Door(problem["door"]))
    assert "bootstrap" not in said(lambda problem: Door(problem["door"]), time_limit="bootstrap")


def test_what_cannot_go_to_other_processes():
    generator = (door for door in range(3))

    def make(problem):
        assert generator is not None
        return Door(problem["door"])

    assert "make cannot be handed to worker processes (TypeError)" in said(make)


class Explodes(Door):
    def step(self, action):
        return (0, float("nan") if self.door == 2 else 1.0, False, False, {})


def test_a_reward_that_is_no_number_is_told_with_its_problem():
    with pytest.raises(ScoutError, match=r"problem {'door': 2} gave the reward nan in step 1"):
        said(lambda problem: Explodes(problem["door"]))
