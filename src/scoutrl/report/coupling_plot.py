"""The plot of the coupling problem."""

from typing import TYPE_CHECKING, Any

import numpy as np

from scoutrl.report.style import GREY, colour, dash, panels, save
from scoutrl.results.growth import RATES, Growth, height, rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scoutrl.experiments.coupling import Coupling

_TITLES = {"explores": "until exploring is optimal", "solves": "until every problem is solved"}


def draw_coupling(found: "Coupling") -> None:
    """Write `coupling` as PNG and SVG into the directory of what was found."""
    with panels(10.0, 5.4, len(_TITLES)) as (made, axes):
        for one, (target, title) in zip(axes, _TITLES.items(), strict=True):
            growths = {learner.label: learner.growth[target] for learner in found.learners}
            _draw_rates(one, growths, found.sizes)
            for place, (label, growth) in enumerate(growths.items()):
                _draw_growth(one, place, label, growth)
            _dress(one, found.sizes, f"lever: samples {title}")
        save(made, found.path / "coupling")


def _draw_growth(axes: "Axes", place: int, label: str, growth: Growth) -> None:
    """Interquartile means with intervals; a triangle where so many seeds did not arrive that the truth is higher."""
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
    """Each rate of the theory at the height that suits the algorithm it fits best."""
    points = [growth for growth in growths.values() if growth.fitted]
    if not points:
        return
    x = np.geomspace(sizes[0], sizes[-1], 100)
    for place, (name, power) in enumerate(RATES.items()):
        factor, _ = min((height(power, growth) for growth in points), key=lambda fit: fit[1])
        style = ((0, (1, 2)), (0, (6, 3)))[place]
        axes.plot(
            x,
            factor * rate(power, x),
            color=GREY,
            linestyle=style,
            linewidth=1.3,
            label=f"{name}, fitted in height",
            zorder=2,
        )


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
