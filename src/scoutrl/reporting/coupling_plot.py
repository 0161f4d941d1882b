"""The figure of the coupling experiment."""

from typing import TYPE_CHECKING, Any

import numpy as np

from scoutrl.reporting.style import GREY, colour, dash, panels, styled
from scoutrl.results.coupling import Coupling
from scoutrl.results.growth import Growth
from scoutrl.results.rates import RATES, fit_rate, rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLES = {"explores": "until exploring is optimal", "solves": "until every problem is solved"}


@styled()
def coupling_figure(coupling: Coupling) -> "Figure":
    """The samples until each target against |A|, on logarithmic axes, with the rates of the theory."""
    figure, axes = panels(10.0, 5.4, len(_TITLES))
    for one, (target, title) in zip(axes, _TITLES.items(), strict=True):
        growths = {result.label: result.growth[target] for result in coupling.algorithms}
        _draw_rates(one, growths, coupling.sizes)
        for place, (label, growth) in enumerate(growths.items()):
            _draw_growth(one, place, label, growth)
        _dress(one, coupling.sizes, f"lever: samples {title}")
    return figure


def _draw_growth(axes: "Axes", place: int, label: str, growth: Growth) -> None:
    """Interquartile means with intervals; a triangle where so many seeds are censored that the truth is higher."""
    shown = [(point, point.middle) for point in growth.points if point.middle is not None]
    if not shown:
        axes.plot([], [], color=colour(place), label=f"{label}: all seeds failed")
        return
    x, y = [point.size for point, _ in shown], [middle.iqm for _, middle in shown]
    style: dict[str, Any] = {"color": colour(place), "zorder": 4}
    axes.plot(x, y, linestyle=dash(place), label=f"{label}: {growth}", **style)
    for point, middle in shown:
        marker = "o" if point.known else "^"
        low, high = middle.ci95 or (middle.iqm, middle.iqm)
        ends = [[middle.iqm - low], [high - middle.iqm]]
        axes.errorbar(point.size, middle.iqm, yerr=ends, marker=marker, markersize=7, capsize=4, **style)
        notes = [f"{len(point.censored)} of {len(point.env_steps)} late"] if point.censored else []
        notes += [f"{len(point.failed)} failed"] if point.failed else []
        if notes:
            place_of_note = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center", "fontsize": 8}
            axes.annotate(", ".join(notes), (point.size, middle.iqm), color=colour(place), **place_of_note)


def _draw_rates(axes: "Axes", growths: dict[str, Growth], sizes: tuple[int, ...]) -> None:
    """Each rate of the theory, times the factor that suits the algorithm it fits best."""
    fitted = [growth for growth in growths.values() if growth.fitted]
    if not fitted:
        return
    x = np.geomspace(sizes[0], sizes[-1], 100)
    for (name, power), dashes in zip(RATES.items(), ((1, 2), (6, 3)), strict=True):
        factor, _ = min((fit_rate(power, growth) for growth in fitted), key=lambda fit: fit[1])
        style: dict[str, Any] = {"color": GREY, "linestyle": (0, dashes), "linewidth": 1.3, "zorder": 2}
        axes.plot(x, factor * rate(power, x), label=f"{name}, fitted in height", **style)


def _dress(axes: "Axes", sizes: tuple[int, ...], title: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_title(f"{title}\n")
    axes.text(
        0.0,
        1.02,
        "interquartile mean over seeds, 95% bootstrap interval",
        transform=axes.transAxes,
        fontsize=8.5,
        color="#444444",
    )
    axes.set_xlabel("|A|, levers and problems")
    axes.set_ylabel("environment steps")
    axes.margins(x=0.1, y=0.1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=9)
