"""Sizes that cannot fit are refused in one line, before anything is compiled or written."""

import re

import jax
import pytest
from probes.rooms import Rooms

import scoutrl
from scoutrl import _platform
from scoutrl.cli import main
from scoutrl.errors import ScoutError
from scoutrl.runs.config import make_algorithm, make_env, resolve
from scoutrl.training import memory
from scoutrl.training.memory import check_memory

HUGE = {
    "capacity": ["capacity=64_000_000_000"],
    "trials_per_iteration": ["trials_per_iteration=64_000_000_000", "capacity=64_000_000_000"],
    "updates_per_iteration": ["updates_per_iteration=1_000_000_000_000"],
    "iterations": ["iterations=1_000_000_000_000"],
    "evaluation_trials": ["evaluation_trials=1_000_000_000_000"],
    "batch_size": ["batch_size=1_000_000_000_000"],
    "width": ["width=2_000_000_000"],
    "env.size": ["env.size=1_000_000_000"],
}


@pytest.fixture(autouse=True)
def _nothing_is_compiled(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("compiled")

    monkeypatch.setattr("scoutrl.trials.sampler.DeviceSampler.lower", refuse)
    monkeypatch.setattr(_platform, "available_memory", lambda: 16e9)


def one_line(capsys, *named: str) -> None:
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said
    for name in ("GB", *named):
        assert name in said[0]


@pytest.mark.parametrize("seeds", [[], ["--seeds", "3", "--seeds-mode", "processes"]], ids=["one", "three"])
@pytest.mark.parametrize("setting", HUGE)
def test_it_says_how_much_and_what_to_lower(setting, seeds, capsys, tmp_path):
    words = ["train", "dream", "lever", "--out", str(tmp_path / "r"), *seeds, "--set", *HUGE[setting]]
    assert main(words) == 2
    one_line(capsys, setting.removeprefix("env."))
    assert not (tmp_path / "r" / "metrics.jsonl").exists()


def test_coupling_sizes(capsys, tmp_path):
    assert main(["coupling", "--sizes", "4", "1_000_000_000", "--out", str(tmp_path / "c")]) == 2
    one_line(capsys, "lower size")


class LongRooms(Rooms):
    def __init__(self):
        super().__init__()
        self.horizon = 10**9


@pytest.mark.parametrize("horizon", [10**9, 10**12, 10**30])
def test_long_episodes(horizon):
    config = resolve("dream", "lever")
    env = make_env(config)
    object.__setattr__(env, "horizon", horizon)
    with pytest.raises(ScoutError, match="lower the horizon"):
        check_memory(env, make_algorithm(config), config, 1, True)


def test_many_episodes(capsys, tmp_path):
    words = ["train", "dream", "lever", "--out", str(tmp_path / "r"), "--set", "exploration_episodes=1e10"]
    assert main(words) == 2
    one_line(capsys, "of 10,000,000,001 episodes", "or the number of episodes")


@pytest.mark.parametrize(
    "command", ["evaluate {}", "compare lever --algorithms dream --out c --steps 16", "evaluate {} --split train"]
)
def test_trials_without_end(command, scripted_run, capsys):
    assert main([*command.format(scripted_run).split(), "--trials", "1e8"]) == 2
    assert "trials must be 1 or more, up to 10000000; it is 100000000" in capsys.readouterr().err


class ManyActions(Rooms):
    def __init__(self):
        super().__init__()
        self.spaces = scoutrl.Spaces(self.spaces.observation, type(self.spaces.action)(10**9), self.spaces.goal)  # type: ignore


@pytest.mark.parametrize("algorithm", ["dream", "rl2", "pearl"])
def test_spaces_of_a_billion_elements(algorithm):
    with pytest.raises(ScoutError, match=r"weights takes .* GB .*spaces"):
        scoutrl.train(algorithm, ManyActions(), 16, show=False)


def test_a_large_replay_is_mentioned(monkeypatch, capsys):
    config = resolve("dream", "lever")
    monkeypatch.setattr(memory, "_LARGE", 1e5)
    check_memory(make_env(config), make_algorithm(config), config, 1, True)
    taken = check_memory(make_env(config), make_algorithm(config), config, 1, True)
    (first, _) = capsys.readouterr().err.splitlines()
    megabytes = float(first.removeprefix("The replay of 16,384 trials takes ").partition(" MB of memory")[0])
    assert 1e6 * megabytes < taken < 100e6


def test_training_tells_how_much_it_takes(capsys, tmp_path):
    with pytest.raises(AssertionError, match="compiled"):
        scoutrl.train("dream", "lever", 64, out=tmp_path / "r", show=True)
    said = capsys.readouterr().err
    assert re.search(
        r"^compiling … \(.*\); trials and networks take at least [1-9]\d? MB of memory$", said, re.MULTILINE
    )


def test_ordinary_sizes_pass(capsys):
    for algorithm in ("dream", "e-rl2", "varibad"):
        config = resolve(algorithm, "distracting-bus")
        check_memory(make_env(config), make_algorithm(config), config, 8, True)
    assert capsys.readouterr().err == ""


def test_the_machine_has_memory(monkeypatch):
    monkeypatch.undo()
    assert 1e8 < _platform.available_memory() < 1e15
    assert jax.devices()[0].platform == "cpu"
    assert _platform.device_memory() == pytest.approx(_platform.available_memory(), rel=0.5)
