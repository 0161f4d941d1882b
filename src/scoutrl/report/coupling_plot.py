"""The plot of the coupling problem."""

from typing import TYPE_CHECKING, Any

import numpy as np

from scoutrl.report.samples import RATES, Growth, height, rate
from scoutrl.report.style import GREY, colour, dash, panels, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scoutrl.report.coupling import Coupling

_TITLES = {"explores": "until exploring is optimal", "solves": "until every problem is solved"}


def draw_coupling(found: "Coupling") -> None:
    """Write `coupling` as PNG and SVG into the directory of what was found."""
    with panels(10.0, 4.8, len(_TITLES)) as (made, axes):
        for one, (target, title) in zip(axes, _TITLES.items(), strict=True):
            growths = {learner.label: learner.growth[target] for learner in found.learners}
            _draw_rates(one, growths, found.sizes)
            for place, (label, growth) in enumerate(growths.items()):
                _draw_growth(one, place, label, growth)
            _dress(one, found.sizes, f"lever: samples {title}")
        save(made, found.path / "coupling")


def _draw_growth(axes: "Axes", place: int, label: str, growth: Growth) -> None:
    """Interquartile means with intervals; a triangle where seeds did not arrive, so that the truth is higher."""
    shown = [(point, point.middle) for point in growth.points if point.middle is not None]
    if not shown:
        axes.plot([], [], color=colour(place), label=f"{label}: all seeds failed")
        return
    x, y = [point.size for point, _ in shown], [middle.iqm for _, middle in shown]
    style: dict[str, Any] = {"color": colour(place), "zorder": 4}
    axes.plot(x, y, linestyle=dash(place), label=f"{label}: {_slope(growth)}", **style)
    for point, middle in shown:
        marker = "^" if point.censored else "o"
        low, high = middle.ci95 or (middle.iqm, middle.iqm)
        ends = [[middle.iqm - low], [high - middle.iqm]]
        axes.errorbar(point.size, middle.iqm, yerr=ends, marker=marker, markersize=7, capsize=4, **style)
        notes = [f"{len(point.censored)} of {len(point.env_steps)} not there"] if point.censored else []
        notes += [f"{len(point.failed)} failed"] if point.failed else []
        if notes:
            place_of_note = {"xytext": (-8, 6), "textcoords": "offset points", "ha": "right", "fontsize": 8}
            axes.annotate(", ".join(notes), (point.size, middle.iqm), color=colour(place), **place_of_note)


def _slope(growth: Growth) -> str:
    if growth.slope is None:
        return "no slope"
    interval = f" ({growth.ci95[0]:.2f} … {growth.ci95[1]:.2f})" if growth.ci95 else ""
    return f"slope {growth.slope:.2f}{interval}"


def _draw_rates(axes: "Axes", growths: dict[str, Growth], sizes: tuple[int, ...]) -> None:
    """Each rate of the theory at the height that suits the algorithm it fits best."""
    points = [growth for growth in growths.values() if any(point.middle for point in growth.points)]
    if not points:
        return
    x = np.geomspace(sizes[0], sizes[-1], 100)
    for place, (name, power) in enumerate(RATES.items()):
        factor, _ = min((height(power, growth) for growth in points), key=lambda fit: fit[1])
        style = ((0, (1, 2)), (0, (6, 3)))[place]
        axes.plot(x, factor * rate(power, x), color=GREY, linestyle=style, linewidth=1.3, label=name, zorder=2)


def _dress(axes: "Axes", sizes: tuple[int, ...], title: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_title(f"{title}\n")
    axes.text(
        0.0,
        1.02,
        "interquartile mean over seeds, 95% bootstrap interval; rates fitted in height",
        transform=axes.transAxes,
        fontsize=8.5,
        color="#444444",
    )
    axes.set_xlabel("|A|, levers and problems")
    axes.set_ylabel("environment steps")
    axes.legend(loc="upper left", fontsize=9)
