"""Training stops as soon as a return is held, in the same row whether it was interrupted or not."""

import signal

import pytest

import scoutrl
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.open import read_config
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted

TRIAL = 4 * 3 * 2
"""Environment steps of an iteration of the script: four trials of three episodes of two steps."""
BUDGET = 40 * TRIAL


def train(out, until=None, steps=BUDGET, family="probes.rooms:Rooms", **options):
    settings = {"iterations": 1, "evaluations": 20, "errs": "some seeds"}
    options = {"seed": 1, "settings": settings, "show": False} | options
    return scoutrl.train("probes.scripted:Script", family, steps, out=out, until=until, **options).path


def done(run):
    return int(read_rows(run)[-1]["env_steps"] / TRIAL)


FINISHED = "the validation return has reached 2 and held it, after 192 steps; --until none goes on."


@pytest.mark.slow
def test_a_run_stops_once_the_return_is_held_and_goes_on_when_more_is_asked_for(tmp_path, capsys):
    train(tmp_path, 2)
    # Evaluations are made after the first iteration and then after every other one.
    assert done(tmp_path) == 8
    assert FINISHED in capsys.readouterr().err
    assert read_config(tmp_path).until == 2.0
    train(tmp_path, 1.9)
    assert "has reached 1.9 and held it, after 192 steps" in capsys.readouterr().err
    train(tmp_path, 2.1, steps=10 * TRIAL)
    assert done(tmp_path) == 10


@pytest.mark.slow
def test_a_run_that_was_interrupted_stops_in_the_same_row(tmp_path, monkeypatch, capsys):
    def interrupt(_, rows):
        if rows[0]["iteration"] == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressBar, "update", interrupt)
    with pytest.raises(Interrupted):
        train(tmp_path, 2)
    assert done(tmp_path) == 3
    train(tmp_path, 2)
    assert done(tmp_path) == 8
    assert FINISHED in capsys.readouterr().err
    assert scoutrl.evaluate(tmp_path, trials=8).exploitation_return.mean == 2.0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["vmap", "processes"])
def test_each_seed_stops_by_itself(tmp_path, mode, capsys):
    # Seed 1 plays perfectly, seed 2 always wrongly.
    train(tmp_path, 2, seeds=2, seeds_mode=mode)
    assert [done(tmp_path / f"seed-{seed}") for seed in (1, 2)] == [8, 40]
    said = capsys.readouterr().err
    assert said.count("has reached 2 and held it, after 192 steps") == 1
    train(tmp_path, 2, seeds=2, seeds_mode=mode, show=True)
    assert "2 of 2 seeds are finished" in capsys.readouterr().err
    train(tmp_path, "none", seeds=2, seeds_mode=mode)
    assert [done(tmp_path / f"seed-{seed}") for seed in (1, 2)] == [40, 40]
