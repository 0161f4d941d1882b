"""Trials that are played while those before them are learnt from: `policy_lag=1`."""

import dataclasses
import signal
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.gym_rooms import rooms_of
from training.runs import assert_same, rows

from scoutrl import prng
from scoutrl.algorithms.base import AlgorithmState
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.runs.config import RunConfig, resolve
from scoutrl.training.chunk import at_once
from scoutrl.training.iteration import ChunkMetrics, Found
from scoutrl.training.loop import train, train_together
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted
from scoutrl.training.state import TrainingState
from scoutrl.trials.watch import Fault

STEPS = 16
"""Environment steps of an iteration: 4 trials of 2 episodes of 2 steps."""
SMALL = {"width": 4, "policy_width": 4, "memory_size": 4, "trials_per_iteration": 4, "updates_per_iteration": 2}
SMALL |= {"batch_size": 8, "capacity": 16, "iterations": 2, "evaluation_trials": 4, "policy_lag": 1}


def numbered(iterations: int, family: str | Spec = "probes.rooms:Rooms", **settings) -> RunConfig:
    sets = {"iterations": 1, "evaluation_trials": 4, "policy_lag": 1} | settings
    return resolve("probes.numbered:Numbered", family, steps=iterations * STEPS, sets=sets)


def told(run, name: str) -> list[float]:
    return [row[name] for row in rows(run)]


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    """Five iterations without a lag; only to be read."""
    return train(numbered(5, policy_lag=0), tmp_path_factory.mktemp("in-turn"), show=False)


@pytest.fixture(scope="module")
def at_lag(tmp_path_factory):
    """Five iterations with a lag; only to be read."""
    return train(numbered(5), tmp_path_factory.mktemp("at-lag"), show=False)


@pytest.mark.slow
def test_networks_that_play_are_one_iteration_behind_and_never_more(in_turn, at_lag):
    assert told(in_turn, "lag") == [0, 0, 0, 0, 0]
    assert told(at_lag, "lag") == [0, 1, 1, 1, 1]
    # Each iteration has the problems that it would have anyway, and its steps count when they are learnt from.
    for name in ("problems", "env_steps", "updates", "iteration"):
        assert told(at_lag, name) == told(in_turn, name)


@pytest.mark.slow
@pytest.mark.long
def test_environments_on_the_host_are_played_with_the_same_lag(tmp_path):
    env = rooms_of()
    for steps in (2, 5):
        run = train(numbered(steps, env), tmp_path / "parts", env, show=False)
    whole = train(numbered(5, env), tmp_path / "whole", env, show=False)
    assert told(run, "lag") == [0, 1, 1, 1, 1]
    assert_same(run, whole)


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_the_numbers_of_one_that_was_not(at_lag, tmp_path, monkeypatch):
    monkeypatch.setattr(ProgressBar, "update", lambda *_: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        train(numbered(5), tmp_path, show=False)
    assert told(tmp_path, "lag") == [0]
    monkeypatch.undo()
    assert_same(at_lag, train(numbered(5), tmp_path, show=False))


@pytest.mark.slow
def test_a_seed_that_begins_beside_one_that_goes_on_is_played_from_its_own_start(at_lag, tmp_path):
    train(numbered(2), tmp_path / "0", show=False)
    configs = [dataclasses.replace(numbered(5), seed=seed) for seed in (0, 1)]
    first, second = train_together(configs, [tmp_path / "0", tmp_path / "1"], show=False)
    assert told(first, "problems") == told(at_lag, "problems") != told(second, "problems")
    assert told(first, "lag") == told(second, "lag") == [0, 1, 1, 1, 1]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("shards", [1, 2])
def test_what_learns_from_a_replay_repeats_and_goes_on(tmp_path, shards):
    short, long = (resolve("rl2", "probes.rooms:Rooms", steps=n, sets=SMALL | {"shards": shards}) for n in (30, 90))
    whole, again = (train(long, tmp_path / name, show=False) for name in ("whole", "again"))
    assert_same(whole, again)
    train(short, tmp_path / "parts", show=False)
    assert len(rows(tmp_path / "parts")) == 1
    assert_same(whole, train(long, tmp_path / "parts", show=False))


def test_playing_and_learning_are_done_at_once_and_learning_has_the_trials_before():
    began, order = threading.Event(), []

    def play(state):
        order.append(("play", int(state.iteration), int(state.algorithm.networks)))
        began.set()
        return state.iteration

    def learn(state, played) -> Any:
        assert began.wait(10)  # it would wait in vain if it were done first
        began.clear()
        algorithm = dataclasses.replace(state.algorithm, networks=state.algorithm.networks + 1)
        return dataclasses.replace(state, algorithm=algorithm, iteration=state.iteration + 1), played

    state = TrainingState(AlgorithmState(jnp.int32(0)), prng.key(0), jnp.int32(0), jnp.int32(7))
    learnt_from: Any
    state, learnt_from = at_once(state, 3, play, learn)
    assert [int(played) for played in learnt_from] == [0, 1, 2]
    assert order == [("play", 0, 0), ("play", 1, 0), ("play", 2, 1), ("play", 3, 2)]
    assert int(state.pending) == 3


def test_a_fault_in_trials_that_are_not_learnt_from_yet_is_one_of_the_chunk():
    def faults(*kinds: int) -> Fault:
        return Fault(jnp.array(kinds), jnp.arange(len(kinds))[:, None], jnp.zeros(len(kinds), int))

    sound = Found({"loss": jnp.float32(0)}, jnp.int32(STEPS), jax.tree.map(lambda x: x[0], faults(0)))
    told = ChunkMetrics.of([sound], [np.array([True])], [faults(0, 2)])
    assert "an observation that is not finite in problem [1]" in told.fault.describe("Rooms")
    assert not ChunkMetrics.of([sound], [np.array([True])], [faults(0, 0)]).fault.kind


@pytest.mark.slow
def test_what_cannot_lag_is_told_in_one_line(tmp_path):
    with pytest.raises(ScoutError, match=r"^policy_lag must be 0 or more, up to 1; it is 2\.$"):
        numbered(1, policy_lag=2)
    with pytest.raises(ScoutError, match=r"^with policy_lag=1 .* Numbered.collector raised .*NoneType.* leave out pol"):
        train(numbered(1, needs_replay=True), tmp_path / "run", show=False)
    assert told(train(numbered(1, needs_replay=True, policy_lag=0), tmp_path / "run", show=False), "lag") == [0]
