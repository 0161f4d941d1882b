"""What those see who wait: how long compiling took, what is being computed, lists that wrap at words."""

import dataclasses
import io
import os
import sys
import time

import pytest
from probes.rooms import Rooms
from training.runs import config

from scoutrl.cli.printing import print_table
from scoutrl.cli.waiting import waiting
from scoutrl.envs.registry import make
from scoutrl.reporting import known_bounds as module
from scoutrl.reporting.known_bounds import known_bounds
from scoutrl.training.compilation import how_long, note_how_long


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SCOUT_CACHE_DIR", str(tmp_path / "cache"))


def test_how_long_compiling_took_the_last_time():
    assert "first time" in how_long(config())
    note_how_long(config(), 23.4)
    assert how_long(config()) == "23 s the last time"
    # Another seed, or a longer run, has the same program; other settings have not.
    assert how_long(config(steps=10_000, seed=3)) == "23 s the last time"
    assert "first time" in how_long(config(evaluation_trials=17))


def test_a_damaged_note_is_none(tmp_path):
    note_how_long(config(), 3.0)
    (note,) = (tmp_path / "cache" / "compiled").iterdir()
    note.write_text("nan")
    assert "first time" in how_long(config())


def test_where_nothing_can_be_noted_nothing_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCOUT_CACHE_DIR", str(tmp_path / "file"))
    note_how_long(config(), 3.0)
    assert known_bounds(make("lever", size=2)).returns["optimum"]["test"] == 1.0


def test_bounds_are_computed_once(monkeypatch):
    first = known_bounds(make("lever", size=3))
    monkeypatch.setattr(module, "bounds", lambda env: pytest.fail("computed again"))
    assert known_bounds(make("lever", size=3)) == first
    assert first.shortest is not None
    assert first.on("test")["optimum"] == 1.0
    with pytest.raises(pytest.fail.Exception):
        known_bounds(make("lever", size=4))


def test_damaged_bounds_are_computed_again(monkeypatch, tmp_path):
    known_bounds(make("lever", size=3))
    (kept,) = (tmp_path / "cache" / "bounds").iterdir()
    kept.write_text("{}")
    assert known_bounds(make("lever", size=3)).returns
    assert known_bounds(Rooms()) == module.KnownBounds({}, {})


def test_waiting_says_what_for_and_for_how_long(monkeypatch, capsys):
    monkeypatch.setattr("scoutrl.cli.waiting._PATIENCE", 0.05)
    with waiting("thinking"):
        time.sleep(0.2)
    assert capsys.readouterr().err == "thinking … 0 s\n"
    with waiting("thinking"):
        pass
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lists_wrap_at_words_on_a_terminal_only(monkeypatch):
    rows = {"bus": "Four buses lead near the corners of a city: find out which goes where.", "a": "Short."}
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((40, 20)))
    for kind in (Terminal, io.StringIO):
        monkeypatch.setattr(sys, "stdout", kind())
        print_table(rows)
        lines = sys.stdout.getvalue().splitlines()  # pyright: ignore[reportAttributeAccessIssue]
        if kind is Terminal:
            assert all(len(line) <= 40 for line in lines)
            assert lines[:2] == ["bus  Four buses lead near the corners of", "     a city: find out which goes where."]
        else:
            assert lines == [f"{name:3}  {summary}" for name, summary in rows.items()]


def test_configurations_are_told_apart_by_what_they_compile():
    assert dataclasses.replace(config(), track="none").identity() == config().identity()
