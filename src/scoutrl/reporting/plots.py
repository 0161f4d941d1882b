"""Figures of a comparison: learning curves, and bars of the final returns and of the steps of exploration."""

import statistics
from typing import TYPE_CHECKING, Literal

from scoutrl.reporting.style import colour, dash, draw_bounds, panels, styled
from scoutrl.results.comparison import AlgorithmResult, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Along = Literal["steps", "seconds"]
"""What a learning curve is drawn against."""
_ALONG: dict[Along, str] = {"steps": "environment steps", "seconds": "seconds of training (compilation not counted)"}


@styled()
def return_curves(comparison: Comparison, along: Along = "steps") -> "Figure":
    """The learning curve of each algorithm: return during training, against environment steps or seconds."""
    figure, (axes,) = panels(8.4, 4.4)
    for place, result in enumerate(comparison.algorithms):
        _draw_curve(axes, place, result, along)
    axes.set_title(f"{comparison.family}: return {comparison.curves_where} while learning")
    axes.set_xlabel(_ALONG[along])
    axes.set_ylabel("return of an exploitation episode")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(_thousands)
    draw_bounds(axes, comparison.curves_bounds)
    figure.legend(loc="outside lower center", ncols=min(3, len(comparison.algorithms)), fontsize=9)
    _draw_subtitle(axes, comparison)
    return figure


@styled()
def return_bars(comparison: Comparison) -> "Figure":
    """The final return of each algorithm: a bar for the seeds together, a dot for each of them."""
    figure, (axes,) = panels(max(4.8, 2.2 + 1.5 * len(comparison.algorithms)), 4.4)
    for place, result in enumerate(comparison.algorithms):
        _draw_bar(axes, place, result)
    axes.axhline(0.0, color="black", linewidth=0.8, zorder=4)
    _name_bars(axes, comparison)
    axes.set_title(f"{comparison.family}: return {comparison.where} after {comparison.budget}")
    axes.set_ylabel("return of an exploitation episode")
    draw_bounds(axes, comparison.bounds)
    _draw_subtitle(axes, comparison)
    return figure


@styled()
def exploration_bars(comparison: Comparison) -> "Figure":
    """The steps of an exploration episode of each algorithm: a bar for the mean over seeds, a dot for each of them."""
    figure, (axes,) = panels(max(4.8, 2.2 + 1.5 * len(comparison.algorithms)), 4.4)
    for place, result in enumerate(comparison.algorithms):
        if lengths := result.exploration_lengths:
            axes.bar(place, statistics.fmean(lengths), width=0.62, color=colour(place), alpha=0.75, zorder=2)
            _draw_dots(axes, place, lengths)
    _name_bars(axes, comparison)
    axes.set_title(f"{comparison.family}: exploration {comparison.where}")
    axes.set_ylabel("steps of an exploration episode")
    axes.set_ylim(bottom=0)
    shortest = comparison.shortest_exploration
    if shortest is not None and shortest.steps is not None:
        draw_bounds(axes, {f"shortest that suffices\n({shortest.kind})": shortest.steps})
    return figure


def _name_bars(axes: "Axes", comparison: Comparison) -> None:
    labels = [result.label.replace(",", "\n") for result in comparison.algorithms]
    facts = [f"{result.count}{_explored(result)}" for result in comparison.algorithms]
    axes.set_xticks(
        range(len(labels)), [f"{label}\n{fact}" for label, fact in zip(labels, facts, strict=True)], fontsize=9
    )
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.grid(visible=False, axis="x")


def _explored(result: AlgorithmResult) -> str:
    """How long it explores, in words, on a line of its own."""
    lengths = result.exploration_lengths
    return f"\nexplores {statistics.fmean(lengths):.1f} steps" if lengths else ""


def _draw_curve(axes: "Axes", place: int, result: AlgorithmResult, along: Along) -> None:
    curve = result.by_steps if along == "steps" else result.by_seconds
    label = f"{result.label} ({result.count}){_explored(result)}"
    if curve is None:
        axes.plot([], [], color=colour(place), linestyle=dash(place), label=label)
        return
    marker = "o" if len(curve.x) == 1 else None
    axes.plot(curve.x, curve.iqm, color=colour(place), linestyle=dash(place), marker=marker, label=label, zorder=3)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour(place), alpha=0.18, linewidth=0, zorder=2)


def _draw_bar(axes: "Axes", place: int, result: AlgorithmResult) -> None:
    if result.final is None:
        axes.text(place, 0.0, "all seeds\nfailed", ha="center", va="bottom", fontsize=9)
        return
    mean = result.final.iqm
    axes.bar(place, mean, width=0.62, color=colour(place), alpha=0.75, zorder=2)
    if result.final.ci95 is not None:
        low, high = result.final.ci95
        ends = [[mean - low], [high - mean]]
        axes.errorbar(place, mean, yerr=ends, color="black", linewidth=1.6, capsize=7, capthick=1.6, zorder=5)
    returns = [seed.exploitation_return for seed in result.sound if seed.exploitation_return is not None]
    _draw_dots(axes, place, returns)


def _draw_dots(axes: "Axes", place: int, values: list[float]) -> None:
    """A dot for each seed."""
    axes.plot([place + 0.24] * len(values), values, "o", markersize=4, color="white", markeredgecolor="black", zorder=6)


def _draw_subtitle(axes: "Axes", comparison: Comparison) -> None:
    """What the figures are, in small letters under the title."""
    intervals = any(result.final is not None and result.final.ci95 is not None for result in comparison.algorithms)
    text = "interquartile mean over seeds" + (", 95% bootstrap interval over seeds" if intervals else "")
    shortest = comparison.shortest_exploration
    if shortest is not None and shortest.steps is not None:
        text += f"\nshortest exploration that suffices: {shortest.steps:.1f} steps ({shortest.kind})"
    lines = "\n" * (1 + text.count("\n"))
    axes.set_title(f"{axes.get_title('left')}{lines}", loc="left")
    axes.text(0.0, 1.02, text, transform=axes.transAxes, fontsize=8.5, color="#444444", va="bottom")


def _thousands(value: float, _: float) -> str:
    """12k, 1.5M."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if abs(value) >= 1e3 else f"{value:g}"
