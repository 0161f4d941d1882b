"""With what a run was trained: noted at each start, beside its identity and never part of it."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from scoutrl.runs import provenance
from scoutrl.runs.provenance import FILE, Provenance, note_provenance, read_provenance

HERE = Provenance("scout train dream lever", "2026-11-01", "a processor", 2, "Linux", "3153d4d", {"jax": "0.10.2"})
LATER = dataclasses.replace(HERE, date="2026-11-02")
ELSEWHERE = dataclasses.replace(LATER, processor="another", commit=None, accelerator="a GPU")


def test_what_differs_only_in_its_date_is_noted_once(tmp_path):
    note_provenance(tmp_path, 0, HERE)
    note_provenance(tmp_path, 100, LATER)
    assert read_provenance(tmp_path) == {0: HERE}


def test_a_run_that_was_continued_elsewhere_notes_both_places(tmp_path):
    note_provenance(tmp_path, 0, HERE)
    note_provenance(tmp_path, 100, ELSEWHERE)
    assert read_provenance(tmp_path) == {0: HERE, 100: ELSEWHERE}
    note_provenance(tmp_path, 200, LATER)
    assert list(read_provenance(tmp_path)) == [0, 100, 200]


def test_what_was_noted_of_steps_that_were_lost_is_dropped(tmp_path):
    note_provenance(tmp_path, 0, HERE)
    note_provenance(tmp_path, 100, ELSEWHERE)
    # Killed there before it had saved, and continued here from the same checkpoint.
    note_provenance(tmp_path, 100, LATER)
    assert read_provenance(tmp_path) == {0: HERE}
    note_provenance(tmp_path, 0, ELSEWHERE)
    assert read_provenance(tmp_path) == {0: ELSEWHERE}


@pytest.mark.parametrize("text", ["{", "[]", '{"0": {"command": 3}}', '{"then": {}}', '{"0": null}'])
def test_a_file_that_cannot_be_read_is_left_as_it_is(text, tmp_path, capsys):
    (tmp_path / FILE).write_text(text)
    note_provenance(tmp_path, 0, HERE)
    assert (tmp_path / FILE).read_text() == text
    assert capsys.readouterr().err.count("\n") == 1
    assert read_provenance(tmp_path) == {}


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/somewhere/bin/scout", "train", "dream", "own.py:My Family"], "scout train dream 'own.py:My Family'"),
        (["/somewhere/scoutrl/__main__.py", "families"], "scout families"),
        (["experiments/study.py", "--seeds", "3"], "python study.py --seeds 3"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_the_command_is_told_without_directories_of_programs(argv, command, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    found = Provenance.now("a GPU")
    assert (found.command, found.accelerator) == (command, "a GPU")
    assert found.cores >= 1
    assert {"python", "jax", "scoutrl"} <= found.versions.keys()


def run_git(where: Path, *words: str) -> None:
    user = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    if subprocess.run(["git", *user, *words], cwd=where, capture_output=True).returncode != 0:
        pytest.skip("there is no git")


def test_only_a_checkout_of_scout_has_a_commit(tmp_path, monkeypatch):
    package = tmp_path / "src" / "scoutrl"
    (package / "runs").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(provenance, "__file__", str(package / "runs" / "provenance.py"))

    def commit() -> str | None:
        provenance._commit.cache_clear()
        return provenance._commit()

    assert commit() is None
    run_git(tmp_path, "init")
    (tmp_path / "theirs").touch()
    run_git(tmp_path, "add", "theirs")
    run_git(tmp_path, "commit", "-m", "their project, in which Scout is installed")
    assert commit() is None
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "-m", "Scout's own repository")
    clean = commit()
    assert clean is not None
    assert len(clean) == 12
    (package / "new.py").touch()
    assert commit() == f"{clean}+"
    monkeypatch.setenv("PATH", "")
    assert commit() is None
    provenance._commit.cache_clear()
