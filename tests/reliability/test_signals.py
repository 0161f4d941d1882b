"""Ctrl-C is answered at once; a second one ends at once."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from reliability.commands import SCRIPT, start

from scoutrl.training import signals
from scoutrl.training.signals import Interrupted, StopSignals, aside

LONG = ["--steps", "1e12", "--set", "iterations=10_000_000", "evaluation_trials=4"]
"""A chunk takes minutes."""
SOON = 10.0
"""Seconds that are nothing beside those minutes; machines that run tests are busy."""


def test_the_first_is_told_and_the_second_raises(capsys, monkeypatch):
    monkeypatch.setattr(signals, "_TWICE", 0.0)
    with StopSignals("this chunk") as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.received == signal.SIGTERM
        assert "Stopping after this chunk" in capsys.readouterr().err
        signal.raise_signal(signal.SIGTERM)  # schedulers repeat it
        with pytest.raises(Interrupted) as stopped:
            signal.raise_signal(signal.SIGINT)
    assert stopped.value.exit_code == 130
    assert capsys.readouterr().err == ""


def test_a_signal_that_is_passed_on_to_us_as_well_counts_once():
    with StopSignals("this chunk", show=False):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_nothing_waits_for_work_aside_and_its_error_is_passed_on():
    with StopSignals("this chunk", show=False) as stop:
        work = aside(lambda: time.sleep(0.3))
        signal.raise_signal(signal.SIGINT)
        assert stop.received
        assert not work.done()
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0).result()


def begun(run: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the first chunk is being computed."""
    until = time.monotonic() + 120
    while not (run / "metrics.jsonl").exists():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)


@pytest.mark.slow
def test_within_a_long_chunk(tmp_path):
    with start(*SCRIPT, *LONG, "--out", tmp_path / "r") as process:
        assert process.stderr is not None
        try:
            begun(tmp_path / "r", process)
            process.send_signal(signal.SIGINT)
            began, said = time.monotonic(), process.stderr.readline()
            while "Stopping after this chunk" not in said:
                said = process.stderr.readline()
                assert said
            assert time.monotonic() - began < SOON
            assert process.poll() is None
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(SOON) == 130
            rest = process.stderr.read()
            assert rest.splitlines() == ["Stopped at once; the same command goes on from the last checkpoint."]
        finally:
            process.kill()


@pytest.mark.slow
def test_while_compiling(tmp_path):
    with start("train", "dream", "lever", "--out", tmp_path / "r", SCOUT_CACHE_DIR=str(tmp_path / "cache")) as process:
        assert process.stderr is not None
        try:
            assert "compiling" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            assert "Stopping after compiling" in process.stderr.readline()
            assert time.monotonic() - began < SOON
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(SOON) == 130
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@pytest.mark.slow
def test_a_terminals_ctrl_c_reaches_each_seed_once(tmp_path):
    """The terminal signals all processes of the command; each seed saves all the same."""
    words = [*SCRIPT, "--steps", "1e12", "--seeds", 2, "--seeds-mode", "processes", "--out", tmp_path]
    words += ["--set", "iterations=10", "evaluation_trials=4"]
    with start(*words, own_session=True) as process:
        try:
            begun(tmp_path / "seed-0", process)
            os.killpg(process.pid, signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert f"saved in {tmp_path}" in said.splitlines()[-1]
    assert any(path.name.isdigit() for path in (tmp_path / "seed-0" / "checkpoints").iterdir())
