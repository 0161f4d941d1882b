"""Environments on the host give the trials that a family in JAX gives, whatever happens to their processes."""

import contextlib
import os
import signal
from typing import Any

import equinox as eqx
import jax
import numpy as np
import psutil
import pytest
from trials.corridor import Clerk, Corridor, Keeper, Quitter
from trials.gym_corridor import Fails, GymCorridor, corridors
from trials.test_sampler import assert_same

from scoutrl import from_gymnasium
from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import same_agent
from scoutrl.trials.host.sampler import HostSampler
from scoutrl.trials.sampler import DeviceSampler, sampler_for
from scoutrl.trials.trial import Protocol, Trial

ONE = Protocol()


def sample(sampler, agent, protocol: Protocol = ONE, trials: int = 4) -> Trial:
    problems = sampler.spec.problems.ids[np.arange(trials) % 4]
    keys = jax.random.split(jax.random.key(0), trials)
    return jax.tree.map(np.asarray, sampler.sample(eqx.Partial(same_agent, agent), problems, keys, protocol))


def children() -> set[int]:
    """Workers of pools; other tests may have left other processes."""
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return {child.pid for child in alive if "scoutrl.pool.worker" in child.cmdline()}


@pytest.fixture(scope="module")
def sampler():
    with contextlib.closing(sampler_for(corridors())) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("agent", "protocol"),
    [(Clerk("steps"), Protocol(2, 3)), (Keeper("features"), Protocol(1, 1, True)), (Quitter("steps"), Protocol(2, 2))],
)
@pytest.mark.parametrize("trials", [1, 7])
def test_the_trials_are_those_of_the_family_in_jax(sampler, agent, protocol, trials):
    assert isinstance(sampler, HostSampler)
    found, wanted = (sample(one, agent, protocol, trials) for one in (sampler, DeviceSampler(Corridor())))
    assert_same(found, wanted)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)


@pytest.mark.slow
def test_more_trials_than_slots_are_played_in_turn(sampler, monkeypatch):
    wanted = sample(sampler, Clerk("rewards"), trials=7)
    monkeypatch.setattr("scoutrl.trials.host.sampler.MOST", 2)
    found = sample(sampler, Clerk("rewards"), trials=7)
    assert_same(found, wanted)
    assert found.exploration.lengths.tolist() == wanted.exploration.lengths.tolist()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_changes_no_number(sampler):
    wanted = sample(sampler, Keeper("steps"), Protocol(2, 2), 7)
    sampler.report()
    before = children()
    os.kill(min(before), signal.SIGKILL)
    assert_same(sample(sampler, Keeper("steps"), Protocol(2, 2), 7), wanted)
    assert sampler.report() == {"env_restarts": 1.0}
    assert len(children()) == len(before)
    assert children() != before


@pytest.mark.slow
@pytest.mark.parametrize(("way", "after"), [("raises", 60), ("exits", 60), ("dies", 60), ("hangs", 0.3)])
def test_an_environment_that_fails_costs_nothing_but_time(sampler, tmp_path, way, after):
    wanted = sample(sampler, Keeper("steps"), Protocol(2, 2), 7)
    family = corridors(Fails, way, str(tmp_path), os.getpid(), workers=1, patience=after)
    with contextlib.closing(sampler_for(family)) as failing:
        assert_same(sample(failing, Keeper("steps"), Protocol(2, 2), 7), wanted)
        assert failing.report() == {"env_restarts": 1.0}
    assert (tmp_path / "failed").exists()


@pytest.mark.slow
def test_problems_may_be_handed_to_reset(sampler):
    problems = sampler.spec.problems
    goals: dict[str, Any] = {"goal": "goal", "goal_space": sampler.spec.spaces.goal}
    family = from_gymnasium(lambda: GymCorridor(9), problems, 4, problem_to="reset", workers=1, **goals)
    with contextlib.closing(sampler_for(family)) as other:
        assert_same(sample(other, Clerk("steps"), trials=7), sample(sampler, Clerk("steps"), trials=7))


class Broken(GymCorridor):
    """Cannot be stepped in one of the problems."""

    def step(self, action):
        if self.length == 5:
            print("about to fail")
            raise RuntimeError("there is no\nsecond cell")
        return super().step(action)


@pytest.mark.slow
def test_one_that_fails_always_is_told_of_with_problem_seed_and_actions():
    with contextlib.closing(sampler_for(corridors(Broken, workers=1))) as broken, pytest.raises(ScoutError) as refusal:
        sample(broken, Clerk("steps"))
    said = str(refusal.value)
    assert "{'length': 5}, seed " in said
    assert "RuntimeError: there is no second cell" in said
    assert "\n" not in said


@pytest.mark.slow
def test_no_process_is_left_behind():
    before = children()
    closed = sampler_for(corridors(workers=1))
    sample(closed, Clerk("steps"))
    assert len(children()) == len(before) + 1
    closed.close()
    assert children() == before
    forgotten = sampler_for(corridors(workers=1))
    sample(forgotten, Clerk("steps"))
    del forgotten
    assert children() == before
