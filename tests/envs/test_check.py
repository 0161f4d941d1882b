"""Families that break one promise each, and the line that says which."""

from typing import Any

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step
from scoutrl.envs.check import check
from scoutrl.errors import ScoutError

Box = gymnasium.spaces.Box
Discrete = gymnasium.spaces.Discrete


class Walk(MetaEnv):
    """A point on a line between -1 and 1, pushed around; `fault` names the one thing that is wrong."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    fault: str = eqx.field(static=True)

    def __init__(self, fault="", problems=None, horizon=5, goal=True, **spaces):
        self.problems = ProblemSet([[0.5, 1.0], [0.1, 0.2]], [0], [1]) if problems is None else problems
        line = Box(-1, 1, (1,), np.float32)
        given = {"observation": line, "action": line, "goal": line if goal else None} | spaces
        self.spaces, self.horizon, self.fault = Spaces(**given), horizon, fault

    def reset(self, problem, key) -> Any:
        if self.fault == "reset raises":
            raise ValueError("no such room\nsecond line")
        if self.fault == "reset returns one thing":
            return problem
        if self.fault == "wrong observation shape":
            return problem[:1], problem
        return problem[:1], problem[:1] * (5 if self.fault == "reset outside" else 1)

    def goal(self, state):
        if self.fault == "no goal":
            return None
        return state * (jnp.inf if self.fault == "goal not finite" else 1)

    def step(self, state, action, key) -> Any:
        if self.fault == "branches on a value" and action[0] > 0:
            return state, None
        after = jnp.clip(state + action, -1, 1)
        seen = {
            "step outside": after + 4,
            "integer observation": after.astype(jnp.int32),
            "not an array": (after, after),
            "not finite": after / 0,
        }.get(self.fault, after)
        reward = {
            "reward per step": jnp.zeros(3),
            "reward not finite": jnp.nan,
            "plain numbers": 0,
        }.get(self.fault, after[0])
        terminated = {"number as flag": 0, "plain numbers": False}.get(self.fault, after[0] > 0.9)
        changed = {"other structure": (after, after), "other shape": jnp.zeros(2), "other type": after > 0}
        truncated: Any = False if self.fault == "plain numbers" else jnp.bool_(False)
        step = Step(seen, reward, terminated, truncated)
        if self.fault == "step returns one thing":
            return step
        return changed.get(self.fault, after), step

    def render(self, state):
        raise NotImplementedError


@pytest.mark.parametrize(
    "env", [Rooms(), Rooms(tells_end=False), Walk(), Walk("plain numbers"), Walk("no goal", goal=False)]
)
def test_families_in_order(env):
    check(env)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("reset raises", "Walk.reset raised ValueError: no such room$"),
        ("reset returns one thing", r"Walk.reset must return \(state, observation\)"),
        ("wrong observation shape", r"Walk.reset returns must have shape \(1,\) and type float32, .* has shape \(2,\)"),
        ("reset outside", r"Walk.reset returns an observation outside its space .*: \[2.5\]"),
        ("no goal", r"the goal that Walk.goal returns must be an array of shape \(1,\); it is a NoneType"),
        ("goal not finite", "Walk.goal returns a goal that is not finite"),
        ("branches on a value", "Walk.step raised TracerBoolConversionError"),
        ("step returns one thing", r"Walk.step must return \(state, scoutrl.Step"),
        ("step outside", "Walk.step returns an observation outside its space"),
        ("integer observation", "Walk.step returns must have shape .* and type int32"),
        ("not an array", "Walk.step returns must be an array of shape .* it is a tuple"),
        ("not finite", "Walk.step returns an observation that is not finite"),
        ("reward per step", r"the reward that Walk.step returns must be a number of shape \(\); .* shape \(3,\)"),
        ("reward not finite", "Walk.step returns a reward that is not finite: nan"),
        ("number as flag", "terminated, which Walk.step returns, must be a boolean .* type int32"),
        ("other structure", r"Walk.step must return a state of the same structure .* \* and \(\*, \*\)"),
        ("other shape", r"the state of Walk has shape \(1,\) .* but shape \(2,\)"),
        ("other type", "the state of Walk has .* type float32 after reset, but .* type bool after step"),
    ],
)
def test_faults_of_methods_are_named(fault, message):
    with pytest.raises(ScoutError, match=message):
        check(Walk(fault))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"problems": [0, 1]}, "Walk.problems must be a scoutrl.ProblemSet; it is a list"),
        ({"horizon": 0}, "Walk.horizon must be a whole number of at least 1; it is 0"),
        ({"horizon": 2.0}, "Walk.horizon must be a whole number"),
        ({"goal": False}, "Walk.goal must return None, because Walk.spaces has no goal"),
        ({"action": Discrete(3, start=1)}, "Walk.spaces.action must count from 0"),
        ({"action": Box(-np.inf, np.inf, (1,))}, "Walk.spaces.action must have finite bounds"),
        ({"observation": Box(0, 1, (2, 2))}, "Walk.spaces.observation must be a vector of float32 or an image"),
        ({"observation": Box(0, 1, (2,), np.float64)}, "has shape .* and type float64"),
        ({"observation": gymnasium.spaces.Text(3)}, "must be Discrete, MultiDiscrete or Box; it is a Text"),
        ({"observation": gymnasium.spaces.MultiDiscrete(np.array([[2, 2]]))}, "must be a flat list of components"),
    ],
)
def test_faults_of_attributes_are_named(given, message):
    spaces = {name: given.pop(name) for name in ("observation", "action") if name in given}
    with pytest.raises(ScoutError, match=message):
        check(Walk(**given, **spaces))


def test_not_a_family():
    with pytest.raises(ScoutError, match=r"must be a scoutrl.MetaEnv object; this is a str"):
        check("bus")  # pyright: ignore[reportArgumentType]
