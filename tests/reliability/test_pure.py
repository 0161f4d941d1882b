"""Families whose numbers would be frozen, whose problems make no difference, or whose codes would pass as colours."""

import itertools
import random
import time

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms

import scoutrl
from scoutrl.envs import Spaces
from scoutrl.envs.check import _unsupported, check
from scoutrl.errors import ScoutError

COUNTER = itertools.count()


@jax.jit
def _jitted(secret):
    return secret + jnp.asarray(np.random.rand() > 2, jnp.int32) * np.random.randint(1000)


IMPURE = {
    "np.random": lambda: np.random.randint(4),
    "generator": lambda: np.random.default_rng().integers(2**31),
    "random": lambda: random.randint(0, 2**31),
    "clock": lambda: time.perf_counter_ns() % 2**31,
    "counter": lambda: next(COUNTER),
    "table": lambda: np.random.rand(64).sum().astype(np.int32),
}


class Impure(Rooms):
    """Rooms in which a method uses numbers that are not its key's."""

    source: str = eqx.field(static=True)
    method: str = eqx.field(static=True)

    def __init__(self, source: str, method: str = "reset"):
        super().__init__()
        self.source, self.method = source, method

    def _drawn(self, method, secret):
        if method != self.method:
            return secret
        if self.source == "jitted":
            return jnp.clip(_jitted(secret), 0, 3)
        if self.source == "constant":
            return jnp.clip(secret + jnp.asarray(np.random.randint(0, 2**30, 64))[secret], 0, 3)
        return (secret + jnp.asarray(int(IMPURE[self.source]()), jnp.int32)) % 4

    def reset(self, problem, key):
        state, seen = super().reset(problem, key)
        return eqx.tree_at(lambda s: s.secret, state, self._drawn("reset", state.secret)), seen

    def step(self, state, action, key):
        state, answer = super().step(state, action, key)
        return eqx.tree_at(lambda s: s.secret, state, self._drawn("step", state.secret)), answer

    def goal(self, state):
        return self._drawn("goal", state.goal) % 2


@pytest.mark.parametrize(
    ("source", "method"),
    [
        *itertools.product(["np.random", "jitted", "constant"], ["reset", "step", "goal"]),
        *((s, "step") for s in IMPURE),
    ],
)
def test_numbers_that_would_be_frozen_are_found(source, method):
    np.random.seed(0)
    with pytest.raises(ScoutError, match=rf"^Impure.{method} is not the same each time: it uses np.random"):
        check(Impure(source, method))


class Ignores(Rooms):
    """Rooms in which the problem goes lost somewhere."""

    where: str = eqx.field(static=True)

    def __init__(self, where: str, **given):
        super().__init__(**given)
        self.where = where

    def reset(self, problem, key):
        if self.where == "reset":
            problem = jnp.zeros(2, jnp.int32)
        if self.where == "times nothing":
            problem = problem * 0
        return super().reset(problem, key)

    def step(self, state, action, key):
        after, answer = super().step(
            state if self.where != "step" else eqx.tree_at(_secret, state, jnp.int32(1)), action, key
        )
        return eqx.tree_at(_secret, after, state.secret), answer


def _secret(state):
    return state.secret


@pytest.mark.parametrize("where", ["reset", "step"])
def test_a_problem_that_makes_no_difference_is_refused(where, capsys):
    with pytest.raises(ScoutError, match=r"the problem makes no difference: nothing that Ignores.reset, goal and step"):
        check(Ignores(where))
    check(Ignores("nowhere"))
    assert capsys.readouterr().err == ""


def test_problems_that_behave_alike_are_told_of(capsys):
    check(Ignores("times nothing"))
    assert "Ignores: 8 problems behaved alike in 4 random episodes of each" in capsys.readouterr().err


@pytest.mark.parametrize(
    "space",
    [
        gymnasium.spaces.Box(0, 255, (7, 7, 3), np.uint8),
        gymnasium.spaces.Box(0, 255, (19, 40, 3), np.uint8),
        gymnasium.spaces.Box(0, 10, (32, 32, 3), np.uint8),
        gymnasium.spaces.Box(0, 255, (32, 32, 1), np.uint8),
    ],
)
def test_grids_of_codes_are_no_pictures(space):
    env = Rooms()
    env = eqx.tree_at(lambda e: e.spaces, env, Spaces(space, env.spaces.action, env.spaces.goal))
    with pytest.raises(
        ScoutError, match=rf"Rooms.spaces.observation .* MultiDiscrete\(\[codes\] \* {space.low.size}\)"
    ):
        check(env)


def test_pictures_are_pictures():
    assert _unsupported(gymnasium.spaces.Box(0, 255, (20, 20, 3), np.uint8), "observation") == ""


class Drawn(Rooms):
    """Rooms in an order that is drawn when they are made."""

    order: np.ndarray

    def __init__(self):
        super().__init__()
        self.order = np.random.default_rng().permutation(1000)


def test_a_family_that_is_another_one_each_time_it_is_made_is_refused(tmp_path):
    with pytest.raises(ScoutError, match="test_pure:Drawn is another family each time it is made"):
        scoutrl.train("probes.scripted:Script", "reliability.test_pure:Drawn", 16, out=tmp_path, show=False)
