"""Real processes, ended from outside."""

import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from training.runs import CHUNK, arrays, assert_same, config

from scoutrl.errors import ScoutError
from scoutrl.runs.run_dir import RunDirectory
from scoutrl.training.loop import train

pytestmark = pytest.mark.slow

STEPS = 150 * CHUNK
WAIT = 60.0
# The command line with a checkpoint after every chunk, so that there always is one to be interrupted.
SCOUT = """
import sys
sys.path.insert(0, "tests")
from scoutrl.training import loop
loop.SAVE_EVERY, loop._SAVE_SHARE = 0.0, 1.0
from scoutrl.cli import main
sys.exit(main())
"""


@contextlib.contextmanager
def scout(out: Path, steps: int = STEPS, seeds: int = 1) -> Iterator[subprocess.Popen]:
    """`scout train` of what `runs.config(steps)` describes."""
    words = ["train", "probes.tabular:Tabular", "lever", "--steps", str(steps), "--seeds", str(seeds)]
    words += ["--out", str(out), "--seeds-mode", "processes"]
    for name, value in {"env.size": 4, "iterations": 10, "evaluation_trials": 16}.items():
        words += ["--set", f"{name}={value}"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SCOUT, *words], cwd=root, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition) -> None:
    until = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nothing disturbed; only to be read."""
    return train(config(STEPS), tmp_path_factory.mktemp("whole"), show=False)


def test_killed_at_random_the_same_command_ends_with_the_same_numbers(whole, tmp_path):
    for chunks in (1, 50):
        with scout(tmp_path) as process:
            wait_for(lambda least=10 * chunks: newest(tmp_path) >= least)
            time.sleep(random.random() / 5)
            process.send_signal(signal.SIGKILL)
        assert newest(tmp_path) < 10 * STEPS // CHUNK
    with scout(tmp_path) as process:
        process.communicate(timeout=WAIT)
    assert process.returncode == 0
    assert_same(tmp_path, whole)


def test_sigterm_saves_and_says_how_to_go_on(tmp_path):
    with scout(tmp_path, 1000 * STEPS) as process:
        wait_for(lambda: size(tmp_path) > 0)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 143
    assert f"saved in {tmp_path}; the same command goes on" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert 0 < arrays(tmp_path)["host.env_steps"] < 1000 * STEPS


def test_sigint_reaches_the_seeds_and_a_killed_parent_leaves_none_behind(tmp_path):
    seeds = [tmp_path / "seed-0", tmp_path / "seed-1"]
    with scout(tmp_path, 1000 * STEPS, len(seeds)) as process:
        wait_for(lambda: any(size(run) > 0 for run in seeds))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 130
    assert f"saved in {tmp_path}; the same command goes on" in said.splitlines()[-1]
    assert "Traceback" not in said
    started = [run for run in seeds if size(run)]
    assert all(0 < arrays(run)["host.env_steps"] < 1000 * STEPS for run in started)
    before = size(started[0])
    with scout(tmp_path, 1000 * STEPS, len(seeds)) as process:
        wait_for(lambda: size(started[0]) > before)
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(is_locked(run) for run in started))


def newest(run: Path) -> int:
    """Iterations done in the newest checkpoint; 0 without any."""
    return max((int(path.name) for path in run.glob("checkpoints/*") if path.name.isdigit()), default=0)


def size(run: Path) -> int:
    """Bytes of metrics so far."""
    file = run / "metrics.jsonl"
    return file.stat().st_size if file.exists() else 0


def is_locked(run: Path) -> bool:
    try:
        RunDirectory(run).close()
    except ScoutError:
        return True
    return False
