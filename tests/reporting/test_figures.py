"""Figures are values made of results alone: nothing is written before the caller saves them."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from scoutrl.errors import ScoutError
from scoutrl.exact.length import ExplorationLength
from scoutrl.reporting.coupling_plot import coupling_figure
from scoutrl.reporting.plots import exploration_bars, return_bars, return_curves
from scoutrl.reporting.style import save
from scoutrl.reporting.table import comparison_table, coupling_tables, show
from scoutrl.results.comparison import read_comparison
from scoutrl.results.coupling import read_coupling

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results" / "compare"


@pytest.fixture(scope="module")
def comparison():
    return read_comparison(COMMITTED / "map.json")


def test_return_curves_have_a_line_for_each_algorithm(comparison):
    by_steps, by_seconds = return_curves(comparison, "steps"), return_curves(comparison, "seconds")
    for figure, unit, last in (
        (by_steps, "environment steps", comparison.algorithms[0].by_steps.x[-1]),
        (by_seconds, "seconds of training (compilation not counted)", comparison.algorithms[0].by_seconds.x[-1]),
    ):
        assert isinstance(figure, Figure)
        (axes,) = figure.axes
        assert axes.get_xlabel() == unit
        assert np.asarray(axes.get_lines()[0].get_xdata())[-1] == last
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == [
            f"{result.label} (5 of 5 seeds)\nexplores {np.mean(result.exploration_lengths):.1f} steps"
            for result in comparison.algorithms
        ]


def test_return_bars_are_as_high_as_the_final_returns(comparison):
    (axes,) = return_bars(comparison).axes
    bars = [bar for drawn in axes.containers if isinstance(drawn, BarContainer) for bar in drawn.patches]
    assert [bar.get_height() for bar in bars] == [result.final.iqm for result in comparison.algorithms]
    assert any("optimum 0.800" in text.get_text() for text in axes.texts)


def test_exploration_is_drawn_beside_the_shortest_that_suffices(comparison):
    def texts(found):
        (axes,) = exploration_bars(found).axes
        return [text.get_text() for text in axes.texts]

    assert texts(comparison) == []
    known = dataclasses.replace(comparison, shortest_exploration=ExplorationLength("exact", 4.0))
    (text,) = texts(known)
    assert text.startswith("shortest that suffices")
    assert "4.0" in text
    (axes,) = exploration_bars(known).axes
    bars = [bar for drawn in axes.containers if isinstance(drawn, BarContainer) for bar in drawn.patches]
    assert [bar.get_height() for bar in bars] == [np.mean(one.exploration_lengths) for one in comparison.algorithms]
    unknown = dataclasses.replace(comparison, shortest_exploration=ExplorationLength("unknown", None, "no reason"))
    assert texts(unknown) == []


def test_the_table_tells_the_shortest_exploration(comparison, capsys):
    show(comparison)
    assert "shortest exploration" not in capsys.readouterr().err
    show(dataclasses.replace(comparison, shortest_exploration=ExplorationLength("at most", 5.0, "a limit")))
    assert "shortest exploration that suffices, in steps: 5.00 (at most): a limit" in capsys.readouterr().err


def test_the_coupling_figure_has_a_plot_for_each_target():
    coupling = read_coupling(COMMITTED / "coupling.json")
    explores, solves = coupling_figure(coupling).axes
    for axes, target in ((explores, "explores"), (solves, "solves")):
        legend = axes.get_legend()
        assert legend is not None
        labels = [text.get_text() for text in legend.get_texts()]
        assert labels[:2] == ["|A| log |A|, fitted in height", "|A|² log |A|, fitted in height"]
        assert labels[2:] == [f"{result.label}: {result.growth[target]}" for result in coupling.algorithms]


def test_tables_have_a_row_for_each_algorithm(comparison):
    table = comparison_table(comparison)
    assert list(table.columns[0].cells) == [result.label for result in comparison.algorithms]
    assert next(iter(table.columns[1].cells)) == "0.800"
    lengths = [f"{np.mean(result.exploration_lengths):.2f}" for result in comparison.algorithms]
    assert list(table.columns[3].cells) == lengths
    explores, solves = coupling_tables(read_coupling(COMMITTED / "coupling.json"))
    assert next(iter(explores.columns[1].cells)) == "269"
    assert next(iter(solves.columns[-1].cells)) == "slope 1.88 (1.80 … 1.96)"


def test_saving_writes_png_and_svg_and_twice_the_same(comparison, tmp_path):
    for name in ("first", "second"):
        save(return_bars(comparison), tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"first.png", "first.svg", "second.png", "second.svg"}
    for kind in ("png", "svg"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()


def test_a_figure_looks_the_same_however_it_is_saved(comparison, tmp_path):
    save(return_bars(comparison), tmp_path / "ours")
    return_bars(comparison).savefig(tmp_path / "own.png", dpi=160)
    assert (tmp_path / "ours.png").read_bytes() == (tmp_path / "own.png").read_bytes()


def test_where_nothing_can_be_written_the_user_is_told(comparison, tmp_path):
    with pytest.raises(ScoutError, match="could not be written"):
        save(return_bars(comparison), tmp_path / "nowhere" / "returns")


@pytest.mark.slow
def test_reports_need_nothing_that_trains():
    modules = "plots", "coupling_plot", "table", "style"
    code = f"import sys; from scoutrl.reporting import {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "scoutrl.results.coupling" in loaded
    training = ("jax", "scoutrl.training", "scoutrl.engines", "scoutrl.experiments", "scoutrl.algorithms")
    assert [name for name in loaded if name in training or name.startswith(tuple(f"{t}." for t in training))] == []
