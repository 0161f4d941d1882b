"""Runs that are trained on a Ray cluster are those that are trained here, and nothing of them is lost on the way."""

import dataclasses
import importlib.util
import shutil

import pytest
from training.runs import CHUNK, assert_same, config, rows

from scoutrl.cli import main
from scoutrl.engines.cluster import Cluster
from scoutrl.engines.seed_process import SeedRun
from scoutrl.engines.seeds import train_seeds
from scoutrl.errors import ScoutError
from scoutrl.training.loop import train

transport = pytest.importorskip("scoutrl.engines.transport", reason="the extra ray is not installed")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Seed 1 by itself; only to be read."""
    return train(config(seed=1), tmp_path_factory.mktemp("alone") / "run", show=False)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The first chunk of the same; only to be read."""
    return train(config(CHUNK, seed=1), tmp_path_factory.mktemp("begun") / "run", show=False)


@pytest.mark.slow
def test_runs_on_a_cluster_are_those_of_this_machine(alone, tmp_path, capfd):
    # One of them has been begun here.
    train_seeds(config(CHUNK, seed=1), 1, tmp_path, show=False)
    train_seeds(config(seed=1), 2, tmp_path, cluster=Cluster())
    assert_same(tmp_path / "seed-1", alone)
    assert rows(tmp_path / "seed-2")[-1]["env_steps"] == rows(alone)[-1]["env_steps"]
    assert "480 of 480 steps" in capfd.readouterr().err
    assert not [*(tmp_path / ".ray").glob("*/seed-*"), *(tmp_path / ".ray").glob("*/begun/*")]


@pytest.fixture
def storage(tmp_path):
    return transport.Storage(str(tmp_path / "storage"), tmp_path)


@pytest.mark.slow
def test_what_a_killed_command_left_behind_is_found_again(alone, begun, storage, tmp_path):
    seed = SeedRun(config(seed=1), tmp_path / "seed-1")
    place = tmp_path / "storage" / storage.experiment / storage.name(seed)
    shutil.copytree(begun, place / "checkpoint_000000", ignore=shutil.ignore_patterns(".lock"))
    shutil.copytree(alone, place / "checkpoint_000001", ignore=shutil.ignore_patterns(".lock", "training.*"))
    storage.recover(seed)
    # The newer one was cut off.
    assert_same(seed.out, begun)
    assert not place.exists()


@pytest.mark.slow
def test_a_run_that_is_further_is_kept(alone, begun, storage, tmp_path):
    shutil.copytree(alone, tmp_path / "seed-1")
    seed = SeedRun(config(seed=1), tmp_path / "seed-1")
    begun = SeedRun(config(seed=1), begun)
    assert transport.fetch(storage.put(begun), seed)
    assert_same(seed.out, alone)
    assert transport.fetch(storage.put(seed), SeedRun(config(seed=1), tmp_path / "new"))
    assert_same(tmp_path / "new", alone)


@pytest.mark.slow
def test_another_run_is_neither_continued_nor_overwritten(alone, begun, storage, tmp_path):
    other = SeedRun(config(seed=2), tmp_path / "seed-2")
    assert not transport.fetch(storage.put(SeedRun(config(seed=1), begun)), other)
    assert not other.out.exists()
    shutil.copytree(alone, tmp_path / "seed-2")
    with pytest.raises(ScoutError, match="another run: seed is 1 there and 2 here"):
        transport.refuse_others(other)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--seeds 2 --address auto", "--address is for the engine ray; add --engine ray"),
        ("--engine ray", "for several runs at once: add seeds"),
        ("--engine ray --seeds 2 --cpus-per-run 0", "must be a number above 0"),
        ("--engine ray --seeds 2 --address nowhere:1 --out {}", "no Ray cluster at nowhere:1"),
    ],
)
def test_mistakes_are_told_in_one_line(words, said, tmp_path, capsys):
    assert main(["train", "dream", "lever", *words.format(tmp_path / "run").split()]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert said in line


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ScoutError, match=r"pip install 'scoutrl\[ray\]'"):
        Cluster().check()


def test_what_no_machine_has_is_not_waited_for_in_silence(monkeypatch, capsys):
    from scoutrl.engines.on_ray import look_for_room

    machines = [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}}]
    monkeypatch.setattr("ray.nodes", lambda: machines)
    look_for_room(Cluster(cpus_per_run=2.0))
    for cluster in (Cluster(cpus_per_run=3.0), Cluster(gpus_per_run=0.5)):
        with pytest.raises(ScoutError, match=r"no machine has them \(2 cores and 0 GPUs\); lower"):
            look_for_room(cluster)
        assert capsys.readouterr().err == ""
        look_for_room(dataclasses.replace(cluster, address="head:6379"))
        assert "waiting for one that joins" in capsys.readouterr().err
