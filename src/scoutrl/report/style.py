"""How all plots look: colours that colour-blind people can tell apart, one way to label lines, two formats."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, the strongest first."""
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
"""Kinds of line, in turn, so that lines can be told apart where they lie on each other or colours are lost."""
GREY = "#666666"
_GAP = 0.055
"""Least distance of two labels beside the plot, as a part of its height."""
_SETTINGS: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "svg.fonttype": "none",
    # Otherwise the names within an SVG file would be other ones each time.
    "svg.hashsalt": "scoutrl",
}


def colour(place: int) -> str:
    """The colour of the entry at that place."""
    return COLOURS[place % len(COLOURS)]


def dash(place: int) -> Any:
    """The kind of line of the entry at that place."""
    return DASHES[place % len(DASHES)]


@contextlib.contextmanager
def figure(width: float, height: float) -> Iterator[tuple["Figure", "Axes"]]:
    """A figure of that size in inches with one plot, in Scout's style; save it within the block."""
    with panels(width, height, 1) as (made, axes):
        yield made, axes[0]


@contextlib.contextmanager
def panels(width: float, height: float, count: int) -> Iterator[tuple["Figure", list["Axes"]]]:
    """As `figure`, with several plots side by side."""
    # Imported when a plot is made: it takes a third of a second. No window and no global state is involved.
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        made = Figure(figsize=(width, height), layout="constrained")
        yield made, [made.add_subplot(1, count, place + 1) for place in range(count)]


def save(made: "Figure", path: Path) -> None:
    """Write `path`.png and `path`.svg."""
    made.savefig(path.with_name(f"{path.name}.png"), dpi=160)
    made.savefig(path.with_name(f"{path.name}.svg"), metadata={"Date": None})


def draw_bounds(axes: "Axes", bounds: Mapping[str, float]) -> None:
    """A dashed line across the plot for each bound, with its name and value beside it.

    Call it when everything else is drawn: the lines widen the axis and the labels are set apart in its units.
    """
    low, high = axes.get_ylim()
    # A bound far below all else, as random actions often are, would leave no room to see the rest.
    far = low - 0.5 * (max(high, *bounds.values(), low) - low)
    for worth in (worth for worth in bounds.values() if worth >= far):
        axes.axhline(worth, color=GREY, linestyle=(0, (4, 3)), linewidth=1.0, zorder=1)
    low, high = axes.get_ylim()
    names = sorted(bounds, key=lambda name: bounds[name])
    places = spread([max(0.0, (bounds[name] - low) / (high - low)) for name in names], _GAP)
    for name, place in zip(names, places, strict=True):
        text = f"{'' if bounds[name] >= far else '↓ '}{name.replace('_', ' ')} {bounds[name]:.3f}"
        axes.text(1.01, place, text, transform=axes.transAxes, va="center", color=GREY, fontsize=9)


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Rising `places` moved as little as needed for any two neighbours to be `gap` apart."""
    # Neighbours that are too close form a block, which is centred on where its members want to be.
    blocks: list[list[float]] = []
    for place in places:
        blocks.append([place])
        while len(blocks) > 1 and _start(blocks[-1], gap) - _start(blocks[-2], gap) < gap * len(blocks[-2]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [_start(block, gap) + gap * i for block in blocks for i in range(len(block))]


def _start(block: Sequence[float], gap: float) -> float:
    return sum(block) / len(block) - gap * (len(block) - 1) / 2
