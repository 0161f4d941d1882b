"""The plots of a comparison."""

from typing import TYPE_CHECKING

from scoutrl.report.style import colour, dash, draw_bounds, figure, save
from scoutrl.results.comparison import AlgorithmResult, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ALONG = {"steps": "environment steps", "seconds": "seconds of training (compilation not counted)"}


def draw_comparison(found: Comparison) -> None:
    """Write `curve-steps`, `curve-seconds` and `returns`, each as PNG and SVG, into the comparison's directory."""
    for along in _ALONG:
        _draw_curves(found, along)
    _draw_returns(found)


def _draw_curves(found: Comparison, along: str) -> None:
    """Return on unseen problems while learning."""
    with figure(8.4, 4.4) as (made, axes):
        for place, one in enumerate(found.algorithms):
            _draw_curve(axes, place, one, along)
        axes.set_title(f"{found.family}: return {found.where} while learning")
        axes.set_xlabel(_ALONG[along])
        axes.set_ylabel("return of an exploitation episode")
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(_thousands)
        draw_bounds(axes, found.bounds)
        made.legend(loc="outside lower center", ncols=min(3, len(found.algorithms)), fontsize=9)
        _say_how(found, axes)
        save(made, found.path / f"curve-{along}")


def _draw_curve(axes: "Axes", place: int, one: AlgorithmResult, along: str) -> None:
    track = one.by_steps if along == "steps" else one.by_seconds
    label = f"{one.label} ({one.count})"
    if track is None:
        axes.plot([], [], color=colour(place), linestyle=dash(place), label=label)
        return
    marker = "o" if len(track.x) == 1 else None
    axes.plot(track.x, track.iqm, color=colour(place), linestyle=dash(place), marker=marker, label=label, zorder=3)
    if track.low is not None and track.high is not None:
        axes.fill_between(track.x, track.low, track.high, color=colour(place), alpha=0.18, linewidth=0, zorder=2)


def _draw_returns(found: Comparison) -> None:
    """Final return of each algorithm: bar for the seeds together, a dot for each."""
    with figure(max(4.8, 2.2 + 1.5 * len(found.algorithms)), 4.4) as (made, axes):
        for place, one in enumerate(found.algorithms):
            _draw_bar(axes, place, one)
        axes.axhline(0.0, color="black", linewidth=0.8, zorder=4)
        names = [f"{one.label.replace(',', chr(10))}\n{one.count}" for one in found.algorithms]
        axes.set_xticks(range(len(names)), names, fontsize=9)
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.grid(visible=False, axis="x")
        axes.set_title(f"{found.family}: return {found.where} after {found.budget}")
        axes.set_ylabel("return of an exploitation episode")
        draw_bounds(axes, found.bounds)
        _say_how(found, axes)
        save(made, found.path / "returns")


def _draw_bar(axes: "Axes", place: int, one: AlgorithmResult) -> None:
    if one.final is None:
        axes.text(place, 0.0, "all seeds\nfailed", ha="center", va="bottom", fontsize=9)
        return
    axes.bar(place, one.final.iqm, width=0.62, color=colour(place), alpha=0.75, zorder=2)
    if one.final.ci95 is not None:
        low, high = one.final.ci95
        ends = [[one.final.iqm - low], [high - one.final.iqm]]
        axes.errorbar(place, one.final.iqm, yerr=ends, color="black", linewidth=1.6, capsize=7, capthick=1.6, zorder=5)
    returns = [seed.exploitation_return for seed in one.sound if seed.exploitation_return is not None]
    axes.plot(
        [place + 0.24] * len(returns), returns, "o", markersize=4, color="white", markeredgecolor="black", zorder=6
    )


def _say_how(found: Comparison, axes: "Axes") -> None:
    """What the figures are, in small letters under the title."""
    intervals = any(one.final is not None and one.final.ci95 is not None for one in found.algorithms)
    said = "interquartile mean over seeds" + (", 95% bootstrap interval over seeds" if intervals else "")
    axes.set_title(f"{axes.get_title('left')}\n", loc="left")
    axes.text(0.0, 1.02, said, transform=axes.transAxes, fontsize=8.5, color="#444444", va="bottom")


def _thousands(value: float, _: float) -> str:
    """12k, 1.5M."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if abs(value) >= 1e3 else f"{value:g}"
