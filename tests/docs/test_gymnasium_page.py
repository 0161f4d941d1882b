"""The examples of docs/gymnasium.md do what the page says."""

import inspect
import json
import re
import sys
from pathlib import Path

import pytest

import scoutrl
from scoutrl.algorithms.registry import find
from scoutrl.algorithms.settings import settings_of
from scoutrl.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "gymnasium.md").read_text(encoding="utf-8")
MODULE, *BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SCRIPTED = {"iterations": 1, "evaluation_trials": 4}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with the files of the page."""
    (tmp_path / "my_module.py").write_text(MODULE)
    (json_block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "problems.json").write_text(json_block)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    sys.modules.pop("my_module", None)


@pytest.mark.slow
def test_the_family_is_checked_and_played_by_name(here, capsys, monkeypatch):
    assert main(["check", "my_module:lakes"]) == 0
    assert "There are 100 problems: 72 for train, 8 for validation, 20 for test." in capsys.readouterr().out
    scoutrl.train("probes.scripted:Script", "my_module:lakes", 64, out="runs/lakes", settings=SCRIPTED, show=False)
    exec(BLOCKS[1], scope := {})
    assert scope["terminated"] or scope["truncated"] or scope["memory"].phase == "exploitation"


@pytest.mark.slow
def test_the_short_example_runs(here, capsys, monkeypatch):
    trained = scoutrl.train

    def quickly(algorithm, family, steps, out, settings):
        assert (algorithm, steps) == ("dream", 600_000)
        assert {*settings} <= {*settings_of(find("dream"))}
        return trained("probes.scripted:Script", family, 64, out=out, settings=SCRIPTED, show=False)

    monkeypatch.setattr(scoutrl, "train", quickly, raising=False)
    exec(BLOCKS[0].replace("trials=1000", "trials=8"), {})
    assert "on FrozenLake-v1: 8 trials on 20 unseen problems" in capsys.readouterr().out


@pytest.mark.slow
def test_with_no_python_at_all(here, capsys):
    (command,) = re.findall(r"^ +scout train dream (gym.*)$", PAGE, re.MULTILINE)
    words = [*command.split(), "--steps", "32", "--set", "iterations=1", "evaluation_trials=4", "--out", "runs/tiny"]
    assert main(["train", "probes.scripted:Script", *words]) == 0
    assert json.loads((here / "runs/tiny/config.json").read_text())["family_options"]["horizon"] == 20
    assert main(["evaluate", "runs/tiny", "--trials", "4"]) == 0


def test_all_that_from_gymnasium_takes_is_on_the_page():
    names = list(inspect.signature(scoutrl.from_gymnasium).parameters)
    assert [name for name in names if not re.search(rf"\b{name}\b", PAGE)] == ["name"]
