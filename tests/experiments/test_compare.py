import dataclasses
import json
import signal
import sys
from pathlib import Path

import pytest
from training.runs import CHUNK

from scoutrl.cli import main
from scoutrl.engines import seeds as training_seeds
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.experiments.compare import compare
from scoutrl.experiments.plan import plan
from scoutrl.results.comparison import Budget, read_comparison
from scoutrl.runs.metrics import read_rows
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted

TABULAR = "probes.tabular:Tabular"
SETS = {"env.size": 4, "iterations": 10, "evaluation_trials": 16}
FIGURES = {
    f"{name}.{kind}" for name in ("curve-steps", "curve-seconds", "returns", "exploration") for kind in ("png", "svg")
}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """As on an accelerator, so that nothing is compiled in processes of their own."""
    monkeypatch.setattr(training_seeds.jax, "default_backend", lambda: "gpu")


def compared(out, algorithms=(TABULAR, f"{TABULAR},epsilon=0.9"), seeds=2, steps=3 * CHUNK, **options):
    options = {"steps": steps, "trials": 20, "settings": SETS, "show": False} | options
    return compare("lever", algorithms, seeds, out, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison that nothing disturbed; only to be read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_seeds.jax, "default_backend", lambda: "gpu")
        return compared(tmp_path_factory.mktemp("whole"))


def results(found):
    """results.json without times."""
    content = json.loads((found.path / "results.json").read_text())
    for one in content["algorithms"]:
        del one["by_seconds"]
        for seed in one["seeds"]:
            del seed["seconds"]
    return content


@pytest.mark.slow
def test_all_seeds_of_all_algorithms_are_compared(whole):
    assert {path.name for path in whole.path.iterdir() if path.is_file()} == {"results.json", "config.json", ".lock"}
    assert read_comparison(whole.path) == whole
    content = json.loads((whole.path / "results.json").read_text())
    assert content == whole.to_dict() | {"algorithms": content["algorithms"]}
    assert content["bounds"]["optimum"] == 1
    assert content["shortest_exploration"] == {"kind": "exact", "steps": 1.0, "reason": None}
    assert [one["label"] for one in content["algorithms"]] == [TABULAR, f"{TABULAR},epsilon=0.9"]
    for one in content["algorithms"]:
        assert (one["seeds_sound"], one["seeds_asked"], one["failed"]) == (2, 2, [])
        returns = [seed["exploitation_return"] for seed in one["seeds"]]
        assert one["final"]["iqm"] == pytest.approx(sum(returns) / 2)
        assert [seed["env_steps"] for seed in one["seeds"]] == [3 * CHUNK] * 2
        assert one["protocol"]["trials"] == 20
        assert one["by_steps"]["x"][-1] == 3 * CHUNK
    assert content["algorithms"][1]["settings"]["epsilon"] == 0.9


@pytest.mark.slow
def test_interrupted_and_repeated_it_ends_in_the_same_numbers(whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ProgressBar, "update", lambda *_: signal.raise_signal(signal.SIGINT))
        for _ in range(4):
            with pytest.raises(Interrupted, match="the same command goes on"):
                compared(tmp_path)
    assert not (tmp_path / "results.json").exists()
    assert results(compared(tmp_path)) == results(whole)


@pytest.mark.slow
def test_finished_runs_are_used_again_and_more_is_added(tmp_path, capsys, monkeypatch):
    first = compared(tmp_path, [TABULAR], steps=CHUNK)
    with monkeypatch.context() as patch:
        patch.setattr(training_seeds, "train_together", lambda *_: pytest.fail("nothing is left to train"))
        assert results(compared(tmp_path, [TABULAR], steps=CHUNK, show=True)) == results(first)
    assert "2 of 2 seeds are finished" in capsys.readouterr().err
    earlier = first.algorithms[0].seeds[0].provenance[0]
    monkeypatch.setattr(sys, "argv", ["scout", "compare", "more"])
    more = compared(tmp_path, [TABULAR], seeds=3, steps=2 * CHUNK)
    assert [seed.env_steps for seed in more.algorithms[0].seeds] == [2 * CHUNK] * 3
    # Each row says how it came about: what was there is not relabelled.
    later = dataclasses.replace(earlier, command="scout compare more")
    assert [seed.provenance for seed in more.algorithms[0].seeds] == [{0: earlier, CHUNK: later}] * 2 + [{0: later}]
    assert more.evaluated_with == later


@pytest.mark.slow
def test_another_comparison_is_refused(tmp_path):
    compared(tmp_path, [TABULAR], seeds=1, steps=CHUNK)
    for options, message in [
        ({"settings": SETS | {"env.size": 5}}, "holds another comparison: size is 4 there and 5 here"),
        ({"settings": SETS | {"epsilon": 0.5}}, r"epsilon is 0\.3 there and 0\.5 here"),
        ({"steps": CHUNK - 1}, "holds a comparison over 160 steps, which 159 steps cannot go on with"),
        ({"steps": None, "minutes": 1.0}, "which 1 min of training cannot go on with"),
    ]:
        with pytest.raises(ScoutError, match=message) as refused:
            compared(tmp_path, [TABULAR], **({"steps": CHUNK} | options))
        assert "\n" not in str(refused.value)
    with pytest.raises(ScoutError, match="holds a group of seeds"):
        compared(tmp_path / TABULAR.replace(":", "-"), [TABULAR], steps=CHUNK)


@pytest.mark.slow
def test_a_seed_that_fails_is_named_and_counted(tmp_path, capsys):
    words = ["compare", "lever", "--algorithms", TABULAR, f"{TABULAR},explode_after=15", "--seeds", "2"]
    words += ["--steps", str(2 * CHUNK), "--trials", "8", "--out", str(tmp_path), "--json"]
    assert main([*words, "--set", *(f"{name}={value}" for name, value in SETS.items())]) == 0
    said = capsys.readouterr()
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == FIGURES | {
        "results.json",
        "config.json",
        ".lock",
    }
    sound, broken = json.loads(said.out)["algorithms"]
    assert said.out.count("\n") == 1
    assert (sound["seeds_sound"], broken["seeds_sound"], broken["seeds_asked"]) == (2, 0, 2)
    assert broken["final"] is None
    assert [one["seed"] for one in broken["failed"]] == [0, 1]
    assert "loss became infinite" in broken["failed"][0]["reason"]
    assert f"failed: {TABULAR},explode_after=15 seed 1: loss became infinite" in said.err
    assert "0 of 2" in said.err


@pytest.mark.slow
def test_one_seed_of_several_may_fail(tmp_path, monkeypatch):
    def fails(groups, *_, **__):
        train(groups, *_, **__)
        raise RunsFailedError("1 of 2", {groups[0].seeds[1].out: "it broke"})

    train = training_seeds.train_groups
    monkeypatch.setattr("scoutrl.experiments.compare.train_groups", fails)
    (one,) = compared(tmp_path, [TABULAR], steps=CHUNK).algorithms
    assert one.count == "1 of 2 seeds"
    assert one.final is not None
    assert (one.final.seeds, one.final.ci95) == (1, None)
    assert one.seeds[1].failure == "it broke"


@pytest.mark.slow
def test_minutes_end_at_a_chunk_and_may_be_more_later(tmp_path):
    budget = {"steps": None, "seeds": 1}
    first = compared(tmp_path, [TABULAR], minutes=0.001, **budget).algorithms[0].seeds[0]
    assert first.seconds >= 0.06
    assert first.env_steps % CHUNK == 0
    # A slow machine passes the first limit by far within its first chunk.
    longer = first.seconds + 0.1
    last = compared(tmp_path, [TABULAR], minutes=longer / 60, **budget).algorithms[0].seeds[0]
    assert last.seconds >= longer
    assert last.env_steps > first.env_steps
    rows = read_rows(tmp_path / last.run_dir)
    # About forty evaluations in each of the two, evenly spread over its time.
    assert sum("validation_return" in row for row in rows) <= 82


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 1}, "over --steps or over --minutes; give one"),
        ({"steps": None, "minutes": 0}, "minutes must be a number above 0"),
        ({"algorithms": ["draem"]}, "did you mean 'dream'"),
        ({"algorithms": [f"{TABULAR},epsilom=1"]}, "did you mean 'epsilon'"),
        ({"algorithms": [f"{TABULAR},epsilon=much"]}, "epsilon takes a number"),
        ({"settings": {"env.sise": 4}}, "did you mean 'env.size'"),
        ({"seeds": 0}, "seeds must be 1 or more"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(options, message, tmp_path):
    with pytest.raises(ScoutError, match=message):
        compared(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_the_longest_preset_is_the_budget_of_all():
    planned = plan("map", ["dream", "probes.scripted:Script"], 1, Path("nowhere"), Budget(None, None), 1, {})
    assert planned.budget.steps == 1_800_000
    assert [group.config.steps for group in planned.groups] == [1_800_000] * 2
    assert [group.config.until for group in planned.groups] == [None] * 2, "all train to the end of the budget"
