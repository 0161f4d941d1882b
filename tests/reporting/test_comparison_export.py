import csv
import dataclasses
import io
from pathlib import Path

import pytest

from scoutrl.cli.app import parse
from scoutrl.errors import ScoutError
from scoutrl.exact.length import ExplorationLength
from scoutrl.reporting.export import FORMATS, check_formats, export, latex, markdown
from scoutrl.reporting.tables import HEAD, rows_of
from scoutrl.results.comparison import read_comparison

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results" / "compare" / "distracting-bus.json"


@pytest.fixture(scope="module")
def comparison():
    return read_comparison(COMMITTED)


@pytest.mark.slow
def test_every_format_is_written(comparison, tmp_path):
    here = dataclasses.replace(comparison, path=tmp_path)
    files = export(here, FORMATS)
    names = {"table.tex", "table.csv", "table.md"}
    figures = {"curve-steps", "curve-seconds", "returns", "exploration"}
    assert {file.name for file in files} == names | {f"{name}.{kind}" for name in figures for kind in ("svg", "pdf")}
    assert all(file.stat().st_size for file in files)
    assert (tmp_path / "returns.pdf").read_bytes().startswith(b"%PDF")


def test_the_csv_file_has_the_numbers_themselves(comparison, tmp_path):
    (file,) = export(dataclasses.replace(comparison, path=tmp_path), ["csv"])
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["algorithm"] for row in rows] == [one.label for one in comparison.algorithms]
    assert [float(row["return_iqm"]) for row in rows] == [one.final.iqm for one in comparison.algorithms]
    assert float(rows[0]["ci95_low"]) == comparison.algorithms[0].final.ci95[0]


def test_labels_are_escaped(comparison):
    row = dataclasses.replace(next(rows_of(comparison)), label=r"a_b & 5% {x} \y | ~^#$")
    table = latex([row])
    assert r"a\_b \& 5\% \{x\} \textbackslash{}y | \textasciitilde{}\textasciicircum{}\#\$" in table
    assert table.count(" & ") == 2 * (len(HEAD) - 1)
    (*_, line) = markdown([row]).splitlines()
    assert line.replace(r"\|", "").count("|") == len(HEAD) + 1


def test_what_failed_has_dashes(comparison):
    failed = dataclasses.replace(comparison.algorithms[0], final=None, seeds=(), settings={})
    row = next(rows_of(dataclasses.replace(comparison, algorithms=(failed,))))
    assert row.cells == ("dream", "–", "–", "–", "–", "0 of 0", "–", "–", "–")


def test_each_row_has_the_shortest_exploration_and_what_only_some_have(comparison):
    dream, *_, rival = comparison.algorithms
    told = dataclasses.replace(rival, settings=rival.settings | {"goal_while_exploring": True})
    shortest = ExplorationLength("exact", 10.0)
    shown = dataclasses.replace(comparison, algorithms=(dream, rival, told), shortest_exploration=shortest)
    notes = ["acts on hypotheses in 50% of training trials", "–", "sees the goal while exploring"]
    assert [row.cells[HEAD.index("notes")] for row in rows_of(shown)] == notes
    assert {row.cells[HEAD.index("shortest")] for row in rows_of(shown)} == {"10.00"}


def test_unknown_formats_are_refused_before_anything_is_trained():
    with pytest.raises(ScoutError, match="there are: latex, csv"):
        check_formats(["word"])
    with pytest.raises(ScoutError, match="are a list"):
        check_formats("csv")


def test_the_command_takes_several_formats():
    words = ["compare", "lever", "--algorithms", "dream", "--out", "x", "--export", "latex", "csv", "--seeds", "2"]
    _, arguments = parse(words)
    assert arguments.kwargs["export"] == ("latex", "csv")
