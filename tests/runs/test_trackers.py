import importlib.machinery
import json
import os
import sys
import time
import types

import pytest
from probes.rooms import Rooms

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.runs.metrics import MetricsLog, read_rows
from scoutrl.runs.trackers import check_track

ROW = {"iteration": 1, "env_steps": 10, "updates": 2, "seconds": 0.5, "loss": 0.25}


def test_a_function_is_told_each_row(tmp_path):
    told = []
    log = MetricsLog(tmp_path, 0, "none", told.append)
    log.append(ROW)
    log.close()
    assert told == [ROW]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_what_a_function_raises_is_told_in_one_line(tmp_path):
    def listener(row):
        raise ValueError("no\nroom")

    log = MetricsLog(tmp_path, 0, "none", listener)
    with pytest.raises(ScoutError, match="raised ValueError: no room; mend it"):
        log.append(ROW)


@pytest.mark.slow
def test_a_run_tells_a_function_and_stays_the_same_run(tmp_path):
    told = []
    settings = {"iterations": 1}
    run = scoutrl.train(
        "probes.scripted:Script", Rooms(), 16, out=tmp_path / "run", settings=settings, track=told.append, show=False
    )
    rows = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert told == rows
    assert not list(run.path.glob("events*"))
    # Who is told is no part of what the run is.
    scoutrl.train(
        "probes.scripted:Script", Rooms(), 32, out=run.path, settings=settings, track="tensorboard", show=False
    )
    assert len(list(run.path.glob("events*"))) == 1


def test_a_function_is_for_one_seed(tmp_path):
    with pytest.raises(ScoutError, match="one seed"):
        scoutrl.train("probes.scripted:Script", "bus", 16, out=tmp_path, seeds=2, track=print, show=False)


def test_unknown_trackers_are_refused():
    with pytest.raises(ScoutError, match="tensorboard, wandb, none; 'paper'"):
        check_track("paper")


@pytest.mark.slow
def test_weights_and_biases_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="Weights & Biases is not installed: pip install 'scoutrl[wandb]'")
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_MODE", "offline")
    log = MetricsLog(tmp_path, 0, "wandb", about={"seed": 3})
    log.append(ROW)
    log.close()
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    # What is written after `close` has returned is written by a process of its own.
    late = time.monotonic() + 20
    while b"env_steps" not in file.read_bytes() and time.monotonic() < late:
        time.sleep(0.1)
    assert b"env_steps" in file.read_bytes()


def test_what_weights_and_biases_raises_is_one_line(tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise RuntimeError("no route\nto host")

    begun = types.SimpleNamespace(log=fail, finish=fail)
    fake = types.SimpleNamespace(
        __spec__=importlib.machinery.ModuleSpec("wandb", None), init=lambda **_: begun, Settings=lambda **_: None
    )
    monkeypatch.setitem(sys.modules, "wandb", fake)
    log = MetricsLog(tmp_path, 0, "wandb")
    with pytest.raises(ScoutError, match=r"takes no more metrics \(RuntimeError: no route to host\)"):
        log.append({"iteration": 1, "env_steps": 1})
    # The run is over, perhaps by Ctrl-C: that must come through.
    log.close()
    assert "did not take the last metrics (RuntimeError: no route to host)" in capsys.readouterr().err
    assert len(read_rows(tmp_path)) == 1
    fake.init = fail
    with pytest.raises(ScoutError, match=r"does not start \(no route to host\)"):
        MetricsLog(tmp_path, 0, "wandb")
