"""The style of all plots: colours that colour-blind people can tell apart, labels beside lines, two file formats."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoutrl.runs.files import replacing, writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""The palette of Okabe and Ito, the strongest colours first."""
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
"""Line styles, in turn, so that lines can be told apart where they overlap or are printed without colours."""
GREY = "#666666"
_GAP = 0.055
"""Least distance of two labels beside the plot, as a share of its height."""
_GRID = "#e6e6e6"
_SETTINGS: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "svg.fonttype": "none",
    # Without a fixed salt the names within an SVG file would differ each time.
    "svg.hashsalt": "scoutrl",
}


def colour(place: int) -> str:
    """The colour of the algorithm at that place in a result."""
    return COLOURS[place % len(COLOURS)]


def dash(place: int) -> Any:
    """The line style of the algorithm at that place in a result."""
    return DASHES[place % len(DASHES)]


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Scout's style, for the block or the function it decorates: for all that makes or draws a figure."""
    import matplotlib  # takes a third of a second

    with matplotlib.rc_context(_SETTINGS):
        yield


def panels(width: float, height: float, count: int = 1) -> tuple["Figure", list["Axes"]]:
    """A figure of that size in inches, with no window and no global state, and its `count` plots side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = [figure.add_subplot(1, count, place + 1) for place in range(count)]
    for one in axes:
        # Said here as well, for those who draw the figure without `styled`: ticks are made when it is drawn.
        one.grid(color=_GRID)
    return figure, axes


@styled()
def save(figure: "Figure", path: Path, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write a figure as `path`.png and `path`.svg, or in other formats; gives the files.

    Raises:
        ScoutError: the disk is full or refuses.
    """
    found = [path.with_name(f"{path.name}.{one}") for one in formats]
    with writing(path.parent):
        for file, one in zip(found, formats, strict=True):
            # Without a date the same figure is the same file.
            undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(one)
            with replacing(file) as temporary:
                figure.savefig(temporary, dpi=160, format=one, metadata=undated)
    return found


def draw_bounds(axes: "Axes", bounds: Mapping[str, float]) -> None:
    """Draw a dashed line across the plot for each bound, with its name and value beside it.

    Call it last: the lines may widen the axis, and the labels are placed in its units.
    """
    low, high = axes.get_ylim()
    # A bound far below all else, as random actions often are, would leave no room to see the rest.
    far = low - 0.5 * (max(high, *bounds.values(), low) - low)
    for value in (value for value in bounds.values() if value >= far):
        axes.axhline(value, color=GREY, linestyle=(0, (4, 3)), linewidth=1.0, zorder=1)
    low, high = axes.get_ylim()
    names = sorted(bounds, key=lambda name: bounds[name])
    places = spread([max(0.0, (bounds[name] - low) / (high - low)) for name in names], _GAP)
    for name, place in zip(names, places, strict=True):
        text = f"{'' if bounds[name] >= far else '↓ '}{name.replace('_', ' ')} {bounds[name]:.3f}"
        axes.text(1.01, place, text, transform=axes.transAxes, va="center", color=GREY, fontsize=9)


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Ascending `places`, moved as little as needed for any two neighbours to be `gap` apart."""
    # Neighbours that are too close form a block, which is centred on the mean of its members' own places.
    blocks: list[list[float]] = []
    for place in places:
        blocks.append([place])
        while len(blocks) > 1 and _start(blocks[-1], gap) - _start(blocks[-2], gap) < gap * len(blocks[-2]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [_start(block, gap) + gap * i for block in blocks for i in range(len(block))]


def _start(block: Sequence[float], gap: float) -> float:
    return sum(block) / len(block) - gap * (len(block) - 1) / 2
