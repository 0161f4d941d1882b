"""Rows of results say with what they were measured, and the README marks those whose code has changed since."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks import measured, record, rows, stale, table
from benchmarks.learning import together
from benchmarks.stale import State, state

ROOT = Path(__file__).parents[2]
CODE = ("src/scoutrl/nn",)
OLD = {"command": "c", "date": "2026-11-01", "processor": "p", "cores": 2, "system": "Linux", "commit": "3153d4d"}
OLD |= {"versions": {"jax": "0.10.2"}}


@dataclasses.dataclass
class Repository:
    """A repository of git; called, it writes a file, commits it, and gives the commit."""

    root: Path

    def __call__(self, path: str, text: str) -> str:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        user = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", path, "--allow-empty"]):
            subprocess.run(["git", *user, *words], cwd=self.root, check=True, capture_output=True)
        stale.changed.cache_clear()
        return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=self.root, text=True).strip()


@pytest.fixture
def repository(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    yield Repository(tmp_path / "repository")
    stale.changed.cache_clear()


def test_figures_are_stale_once_their_code_has_changed(repository):
    commit = repository("src/scoutrl/nn/gru.py", "first")
    assert state(commit, CODE, repository.root) is State.FRESH
    assert state(f"{commit}+", CODE, repository.root) is State.UNKNOWN
    repository("docs/page.md", "no code of theirs")
    assert state(commit, CODE, repository.root) is State.FRESH
    repository("src/scoutrl/nn/gru.py", "second")
    assert state(commit, CODE, repository.root) is State.STALE
    assert state(f"{commit}+", CODE, repository.root) is State.STALE
    assert stale.changed(commit, CODE, repository.root) == ("src/scoutrl/nn/gru.py",)
    repository("src/scoutrl/nn/gru.py", "first")
    assert state(commit, CODE, repository.root) is State.FRESH


@pytest.mark.parametrize("commit", [None, "", "+", "abcdef1", "--output=x", "HEAD"])
def test_without_history_nothing_is_known(commit, repository, tmp_path):
    assert state(commit, CODE, tmp_path) is State.UNKNOWN
    repository("src/scoutrl/nn/gru.py", "first")
    assert state(commit, CODE, repository.root) is State.UNKNOWN


@dataclasses.dataclass
class Readme:
    """A README with one result; called with the words of a command, it gives exit code and text."""

    page: Path
    result: Path

    def __call__(self, *words: str) -> tuple[int, str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["table", *words])
            return table.main(), self.page.read_text()

    def edit(self, act: Callable[[dict[str, Any]], object]) -> None:
        content = json.loads(self.result.read_text())
        act(content)
        self.result.write_text(json.dumps(content))

    def measured_at(self, commit: str) -> None:
        self.edit(lambda content: [seed["provenance"].update(commit=commit) for seed in content["seeds"]])


@pytest.fixture
def readme(repository, tmp_path, monkeypatch):
    """The README of that repository."""
    made = Readme(tmp_path / "README.md", tmp_path / "results" / "learning-map-default.json")
    made.result.parent.mkdir()
    shutil.copy(record.RESULTS / made.result.name, made.result)
    made.page.write_text(f"Hand-written †.\n\n{table.BEGIN}\n{table.END}\n")
    monkeypatch.setattr(table, "README", made.page)
    monkeypatch.setattr(table, "RESULTS", made.result.parent)
    monkeypatch.setattr(rows, "state", lambda commit, paths: state(commit, paths, repository.root))
    monkeypatch.setattr(measured, "changed", lambda commit, paths: stale.changed(commit, paths, repository.root))
    return made


def test_the_check_goes_on_when_figures_become_stale_and_says_so(readme, repository, capsys):
    readme.measured_at(repository("src/scoutrl/nn/gru.py", "first"))
    code, text = readme()
    assert (code, text.count("†")) == (0, 1)
    repository("docs/page.md", "no code of theirs")
    assert readme("--check") == (0, text)
    assert "stale" not in capsys.readouterr().out
    repository("src/scoutrl/nn/gru.py", "second")
    assert readme("--check") == (0, text)
    said = capsys.readouterr().out
    assert "stale: learning-map-default.json (all, measured at" in said
    assert "src/scoutrl/nn/gru.py" in said
    assert said.count("not marked in README.md yet") == 2
    _, text = readme()
    assert "| `map` † |" in text
    assert "\n\n† When this table was written" in text
    assert readme("--check") == (0, text)
    assert "not marked" not in capsys.readouterr().out


def test_the_check_refuses_other_figures_and_marks_that_are_no_longer_true(readme, repository, capsys):
    first = repository("src/scoutrl/nn/gru.py", "first")
    second = repository("src/scoutrl/nn/gru.py", "second")
    readme.measured_at(first)
    readme()
    # Without the history, as where CI checks out the last commit alone, marks cannot be judged.
    readme.measured_at("abcdef1")
    text = readme()[1]
    assert "‡" in text
    readme.measured_at(second)
    assert readme("--check")[0] == 1
    readme.measured_at(first)
    readme()
    assert readme("--check")[0] == 0
    readme.edit(lambda content: content["summary"].update(median_seconds=1.0))
    capsys.readouterr()
    assert readme("--check")[0] == 1
    assert "README.md is not as benchmarks/results have it" in capsys.readouterr().err


def test_marks_cannot_be_refused_where_history_is_missing():
    line = "| `map`{} | 1 |"
    assert table.differences(line.format(" †"), line.format(" ‡")) == ([], [])
    assert table.differences(line.format(""), line.format(" ‡")) == ([], [line.format("")])
    assert table.differences(line.format(" †"), line.format(""))[0] == [line.format(" †")]


@pytest.mark.slow
def test_every_committed_row_says_what_it_is_of():
    results = table.read(record.RESULTS)
    every = [row for result in results for row in rows.rows(result)]
    assert {row.file for row in every} == {result["file"] for result in results}
    assert {
        path for row in every for path in row.paths if not (ROOT / path.removeprefix(":(glob)")).parent.is_dir()
    } == set()
    assert {path for row in every for path in row.paths if "*" not in path and not (ROOT / path).exists()} == set()
    dream = rows.code("dream", "sign-miniworld")
    assert {"src/scoutrl/algorithms/dream", "src/scoutrl/envs/sign", "src/scoutrl/rl", "src/scoutrl/pool"} <= set(dream)
    assert {"src/scoutrl/algorithms/recurrent", "src/scoutrl/envs/bus.py"} <= set(rows.code("e-rl2", "map"))


def test_files_of_before_say_it_of_all_their_rows():
    before = OLD | {"file": "old.json", "benchmark": "learning", "family": "map", "seeds": [{"seed": 0}, {"seed": 1}]}
    assert [row.provenance.commit for row in rows.rows(before)] == ["3153d4d", "3153d4d"]
    with pytest.raises(SystemExit, match=r"a row of old\.json does not say with what it was measured"):
        rows.rows({name: before[name] for name in ("file", "benchmark", "family", "seeds")})


def test_seeds_are_added_and_the_others_stay_as_they_were(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    setup = {"benchmark": "learning", "target": {"test": 0.1 + 0.2}, "sets": []}
    assert record.earlier("one", setup) == {}
    old = OLD | {"benchmark": "learning", "target": {"test": 0.3}, "seeds": [{"seed": 2}, {"seed": 0}]}
    record.keep("one", old, smoke=False)
    there = record.earlier("one", setup)["seeds"]
    # What an older file says of all its rows goes with them.
    assert there[0] == {"seed": 2, "provenance": OLD | {"accelerator": None}}
    new = [{"seed": seed, "provenance": record.provenance("learning")} for seed in (1, 2)]
    assert together(there, new) == [there[1], *new]
    assert new[0]["provenance"]["command"].startswith("python -m benchmarks.learning")
    with pytest.raises(SystemExit, match=r"another measurement: sets is None there and \['width=8'\] here"):
        record.earlier("one", setup | {"sets": ["width=8"]})


def test_figures_that_share_their_circumstances_share_a_line():
    (groups,) = [
        measured.groups([result]) for result in table.read(record.RESULTS) if result["file"] == "compare/sign.json"
    ]
    assert [group.described for group in groups] == ["`dream`", "`e-rl2`, `varibad`, `pearl`", "`import`"]
