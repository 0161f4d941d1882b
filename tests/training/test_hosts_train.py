"""One run in two processes that reach each other on the loopback, as they would from two hosts."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from training.runs import arrays, assert_same
from training.test_shards import SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.long]

WAIT = 300.0
STEPS = 2000
ENDLESS = 10**9
# The command line with a checkpoint after every chunk, and little patience.
SCOUT = """
import sys
from scoutrl.training import channel, loop
loop.SAVE_EVERY, loop._SAVE_SHARE = 0.0, 1.0
channel.SILENCE = 8.0
from scoutrl.cli import main
sys.exit(main())
"""


def command(out: Path, steps: int, *options: str) -> subprocess.Popen:
    # An evaluation with each chunk, however many steps there are to be.
    settings = SETTINGS | {"evaluations": 1000}
    words = ["train", "rl2", "probes.rooms:Rooms", "--steps", str(steps), "--out", str(out)]
    words += ["--set", *(f"{key}={value}" for key, value in settings.items()), *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", SCOUT, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def two_processes(out: Path, steps: int, other_seed: int = 0) -> Iterator[list[subprocess.Popen]]:
    """Both at work; what the second one names as its directory is not to be made."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ("--coordinator", address, "--processes", "2", "--process")
    both = [
        command(out, steps, *options, "0"),
        command(out / "nowhere", steps, *options, "1", "--seed", str(other_seed)),
    ]
    try:
        yield both
    finally:
        for process in both:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Exit code, stdout, and the last line of stderr; nothing that C++ or Python write of themselves is among it."""
    out, said = process.communicate(timeout=WAIT)
    assert "Traceback" not in said
    assert "Check failure" not in said
    assert "Gloo" not in out
    return process.returncode, out, said.splitlines()[-1]


def train_alone(out: Path, steps: int) -> None:
    assert ended(command(out, steps))[0] == 0


def train_together(out: Path, steps: int) -> None:
    with two_processes(out, steps) as (first, second):
        code, said, _ = ended(first)
        assert code == 0
        assert said.startswith(f"Trained: {out}")
        assert ended(second)[:2] == (0, "")
    assert not (out / "nowhere").exists()


def wait_for_checkpoint(out: Path) -> None:
    until = time.monotonic() + WAIT
    while not any(path.name.isdigit() for path in out.glob("checkpoints/*")):
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The run that one process trained, without a stop; only to be read."""
    out = tmp_path_factory.mktemp("whole")
    train_alone(out, STEPS)
    return out


def test_two_processes_end_in_the_bits_of_one_and_go_on_with_its_run_and_it_with_theirs(whole, tmp_path):
    train_together(tmp_path, 60)
    train_alone(tmp_path, 100)
    train_together(tmp_path, STEPS)
    assert_same(whole, tmp_path)
    # Nothing is left to do: neither of them waits.
    train_together(tmp_path, STEPS)
    assert_same(whole, tmp_path)


@pytest.mark.parametrize("victim", [0, 1])
def test_who_is_left_ends_in_one_line_and_the_run_goes_on(whole, tmp_path, victim):
    with two_processes(tmp_path, STEPS) as both:
        wait_for_checkpoint(tmp_path)
        both[victim].send_signal(signal.SIGKILL)
        code, _, said = ended(both[1 - victim])
    assert code == 2
    assert said.startswith(f"scout: process {victim} (127.0.0.1) has ended. The last checkpoint is kept")
    assert 0 < arrays(tmp_path)["host.env_steps"] < STEPS
    train_together(tmp_path, STEPS)
    assert_same(whole, tmp_path)


def test_one_that_answers_no_more_is_taken_for_lost(tmp_path):
    with two_processes(tmp_path, ENDLESS) as (first, second):
        wait_for_checkpoint(tmp_path)
        second.send_signal(signal.SIGSTOP)
        code, _, said = ended(first)
        assert code == 2
        assert said.startswith(
            "scout: process 1 (127.0.0.1) has not answered for 8 seconds. The last checkpoint is kept"
        )


@pytest.mark.parametrize("told", [0, 1])
def test_a_signal_to_any_of_them_saves_and_ends_all(tmp_path, told):
    with two_processes(tmp_path, ENDLESS) as both:
        wait_for_checkpoint(tmp_path)
        both[told].send_signal(signal.SIGTERM)
        for process in both:
            code, _, said = ended(process)
            assert code == 143
            assert f"saved in {tmp_path}; the same command goes on from there" in said


def test_another_command_is_refused_by_all(tmp_path):
    with two_processes(tmp_path, 60, other_seed=1) as (first, second):
        code, _, said = ended(second)
        assert (code, said) == (
            2,
            "scout: process 0 was given a command that differs in seed; give all the same one.",
        )
        code, _, said = ended(first)
        assert code == 2
        assert "process 1 (127.0.0.1) has stopped: process 0 was given a command that differs in seed" in said
