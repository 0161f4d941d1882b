"""Learning curves for a page: what was noted while runs trained, against steps and seconds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoutrl.reporting.page.numbers import plain
from scoutrl.results.curves import Along, Curve, curve
from scoutrl.runs.metrics import RETURN

POINTS = 300
"""Points of a curve of one run, at most."""
Rows = Sequence[Mapping[str, float]]
"""The metrics of a run."""
_ALONG: dict[str, Along] = {"steps": "env_steps", "seconds": "seconds"}


@dataclasses.dataclass(frozen=True)
class Chart:
    """What a chart shows beside the return."""

    title: str
    metric: str
    """Name in metrics.jsonl."""


RETURNS = "Return on validation problems"
OTHERS = (
    Chart("Steps of an exploration episode", "validation_exploration_length"),
    Chart("Residual: share of the problem not known after exploring", "residual"),
    Chart("Cost of an exploration step", "step_cost"),
    Chart("KL: bound on what z holds of the problem, in nats", "kl"),
)


@dataclasses.dataclass(frozen=True)
class Group:
    """The runs behind one line: the seeds of one algorithm, or a single run."""

    label: str
    runs: Sequence[Rows]
    by_steps: Curve | None = None
    """The curve of the return, where it was computed before."""
    by_seconds: Curve | None = None
    """The same against seconds."""


def charts(groups: Sequence[Group], bounds: Mapping[str, float], title: str = RETURNS) -> list[dict[str, Any]]:
    """The charts that there are metrics for; a line for each group."""
    found = [_chart(title, [_returns(group) for group in groups], bounds)]
    found += [_chart(one.title, [_mean(group, one.metric) for group in groups], {}) for one in OTHERS]
    return [chart for chart in found if chart["lines"]]


def _chart(title: str, lines: list[dict[str, Any] | None], bounds: Mapping[str, float]) -> dict[str, Any]:
    # Lines keep the colour of their group, also where another group has none.
    kept = [{**line, "colour": place} for place, line in enumerate(lines) if line is not None]
    return {"title": title, "lines": kept, "bounds": dict(bounds)}


def _returns(group: Group) -> dict[str, Any] | None:
    """The interquartile mean over the seeds with its interval; of a single run what was noted."""
    if len(group.runs) == 1 and group.by_steps is None:
        return _mean(group, RETURN)
    found = {
        "steps": group.by_steps or curve(group.runs, "env_steps"),
        "seconds": group.by_seconds or curve(group.runs, "seconds"),
    }
    if any(one is None for one in found.values()):
        return None
    return {"label": group.label} | {name: _points(one) for name, one in found.items() if one is not None}


def _points(one: Curve) -> dict[str, Any]:
    ends = {} if one.low is None or one.high is None else {"low": plain(one.low), "high": plain(one.high)}
    return {"x": plain(one.x, 1), "y": plain(one.iqm)} | ends


def _mean(group: Group, metric: str) -> dict[str, Any] | None:
    """The mean over the runs, where all of them are."""
    found: dict[str, Any] = {"label": group.label}
    for name, along in _ALONG.items():
        noted = [[row for row in rows if metric in row and along in row] for rows in group.runs]
        if not noted or not all(noted):
            return None
        lines = [(np.array([row[along] for row in rows]), np.array([row[metric] for row in rows])) for rows in noted]
        first, last = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
        if len(lines) == 1:
            grid = lines[0][0][np.unique(np.linspace(0, len(lines[0][0]) - 1, POINTS).astype(int))]
        else:
            grid = np.linspace(first, max(first, last), 100 if last > first else 1)
        y = np.mean([np.interp(grid, *line) for line in lines], axis=0)
        found[name] = {"x": plain(grid, 1), "y": plain(y, 4)}
    return found
