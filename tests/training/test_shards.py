import dataclasses
import os
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import small
from probes.gym_rooms import rooms_of
from probes.rooms import Rooms
from training.runs import arrays, assert_same, rows

from scoutrl.algorithms.base import Algorithm
from scoutrl.algorithms.shards import DEVICES, ON_A_DEVICE, averaged
from scoutrl.errors import ScoutError
from scoutrl.runs.arrays import to_arrays
from scoutrl.runs.config import RunConfig, make_algorithm, resolve
from scoutrl.training.loop import train, train_together
from scoutrl.training.program import TrainingProgram
from scoutrl.training.shards import check_shards
from scoutrl.training.state import TrainingState, arrays_of, from_parts, start, to_parts
from scoutrl.trials.sampler import DeviceSampler

ENV = Rooms()
SETTINGS = {"width": 4, "policy_width": 4, "memory_size": 4, "trials_per_iteration": 4, "updates_per_iteration": 2}
SETTINGS |= {"batch_size": 8, "capacity": 16, "iterations": 2, "evaluation_trials": 4, "shards": 2}


def config(steps: int, **settings) -> RunConfig:
    return resolve("rl2", "probes.rooms:Rooms", steps=steps, sets=SETTINGS | settings)


def trained(algorithm: Algorithm, devices: int) -> tuple[TrainingState, list, dict[str, float]]:
    """State, reports and evaluation after four iterations on that many devices."""
    with pytest.MonkeyPatch.context() as patch:
        some = jax.local_devices()[:devices]
        patch.setattr(jax, "local_devices", lambda: some)
        program = TrainingProgram(DeviceSampler(ENV), algorithm, 1, 2, 4)
    program.compile()
    state, reports = program.spread(program.begin(0)), []
    for _ in range(2):
        state, report = program.advance(state)
        reports += report
    return state, reports, program.evaluate(state)[0][0]


@pytest.fixture(scope="module")
def algorithm() -> Algorithm:
    return make_algorithm(config(60))


@pytest.fixture(scope="module")
def on_two(algorithm):
    return trained(algorithm, 2)


@pytest.mark.slow
@pytest.mark.long
def test_one_device_that_has_both_shards_learns_the_same_to_rounding(algorithm, on_two):
    on_one = trained(algorithm, 1)
    placed = [{len(leaf.sharding.device_set) for leaf in jax.tree.leaves(state)} for state, *_ in (on_one, on_two)]
    assert placed == [{1}, {2}]
    mine, theirs = to_arrays(on_one[0]), to_arrays(on_two[0])
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-4, atol=1e-5, err_msg=name)
    for report, other in zip(on_one[1], on_two[1], strict=True):
        assert report.env_steps == other.env_steps
        assert report.metrics == pytest.approx(other.metrics, rel=1e-4, abs=1e-5)
    assert on_one[2] == pytest.approx(on_two[2], abs=1e-5)


def test_networks_are_the_same_bits_on_both_devices(on_two):
    whole = dataclasses.replace(on_two[0].algorithm, replay=None)
    for leaf in jax.tree.leaves(whole):
        np.testing.assert_array_equal(*(shard.data for shard in leaf.addressable_shards))


def test_each_shard_has_trials_of_its_own_in_a_ring_of_its_own(on_two):
    replay = on_two[0].algorithm.replay
    assert replay.added.tolist() == [8, 8]  # four iterations of four trials, in rings of eight
    assert {len(leaf.addressable_shards[0].data) for leaf in jax.tree.leaves(replay)} == {1}
    first, second = np.asarray(replay.trials.exploration.actions)
    assert (first != second).any()


@pytest.mark.slow
def test_a_checkpoint_is_as_good_as_the_state(algorithm, on_two):
    whole = eqx.combine(on_two[0], start(ENV, algorithm, 0))
    again = arrays_of(from_parts(ENV, algorithm, to_parts(ENV, algorithm, whole)))
    for name, array in to_arrays(on_two[0]).items():
        np.testing.assert_array_equal(array, to_arrays(again)[name], err_msg=name)


def test_the_mean_is_that_over_all_shards_wherever_they_are():
    values = jnp.array([[[1.0, 2.0], [4.0, 8.0]], [[0.5, 0.25], [3.0, 3.0]]])  # [devices, shards of one, …]
    found = jax.vmap(jax.vmap(averaged, axis_name=ON_A_DEVICE), axis_name=DEVICES)(values)
    np.testing.assert_allclose(found, np.broadcast_to([2.125, 3.3125], found.shape), rtol=1e-6)


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_numbers(tmp_path):
    short, long = config(60), config(160)
    train(long, tmp_path / "whole", show=False)
    train(short, tmp_path / "parts", show=False)
    assert rows(tmp_path / "parts")[-1]["env_steps"] < 160
    train(long, tmp_path / "parts", show=False)
    assert_same(tmp_path / "whole", tmp_path / "parts")
    assert arrays(tmp_path / "whole")["replay.algorithm.replay.priority"].shape == (2, 8)


COMMAND = """
import os, sys
os.sched_setaffinity(0, set(map(int, sys.argv[1].split(","))))
import scoutrl.cli
words = ["train", "rl2", "probes.rooms:Rooms", "--steps", "60", "--out", sys.argv[2], "--set"]
code = scoutrl.cli.main(words + sys.argv[3:])
import jax
sys.exit(code or jax.device_count() != 2)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot choose cores")
def test_the_command_ends_in_the_same_bits_on_one_core_and_on_two(tmp_path):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        pytest.skip("there is only one core")
    for name, some in (("one", cores[:1]), ("two", cores[:2])):
        settings = [f"{key}={value}" for key, value in SETTINGS.items()]
        words = [sys.executable, "-c", COMMAND, ",".join(map(str, some)), str(tmp_path / name), *settings]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run(words, check=True, env=environment, capture_output=True)
    assert_same(tmp_path / "one", tmp_path / "two")


def test_what_cannot_be_split_is_told_in_one_line(tmp_path):
    for setting in ("batch_size", "trials_per_iteration", "capacity"):
        with pytest.raises(ScoutError, match=rf"^{setting} \(9\) must be a multiple of shards \(2\)$"):
            config(60, **{setting: 9})
    with pytest.raises(ScoutError, match=r"shards .*0"):
        config(60, shards=0)
    with pytest.raises(ScoutError, match=r"^there is no setting 'shards' of probes.tabular:Tabular"):
        resolve("probes.tabular:Tabular", "lever", sets={"shards": 2})
    with pytest.raises(ScoutError, match=r"^several seeds in one program cannot be split as well; .*processes"):
        train_together([config(60), dataclasses.replace(config(60), seed=1)], [tmp_path / "0", tmp_path / "1"])
    with pytest.raises(ScoutError, match=r"^environments on the host cannot be split over devices; leave out shards=2"):
        check_shards(2, rooms_of(), 1, show=False)


def test_shards_without_devices_are_told_of(monkeypatch, capsys):
    check_shards(2, ENV, 1, show=True)
    assert not capsys.readouterr().err
    monkeypatch.setattr(jax, "local_device_count", lambda: 1)
    check_shards(2, ENV, 1, show=True)
    assert "All 2 shards are computed on one core" in capsys.readouterr().err


def test_one_shard_has_a_replay_as_ever():
    replay = small(shards=1).replay(ENV)
    assert replay is not None
    assert replay.priority.shape == (16,)
