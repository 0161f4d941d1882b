"""Learning curves of a run, for the page: what was noted while it trained."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoutrl.reporting.page.numbers import plain
from scoutrl.runs.metrics import RETURN

POINTS = 300
"""Points of a curve, at most."""


@dataclasses.dataclass(frozen=True)
class Chart:
    """What a chart of a run shows."""

    title: str
    metrics: tuple[tuple[str, str], ...]
    """Names in metrics.jsonl, each with its label."""
    bounded: bool = False
    """Bounds on the return are drawn in as lines."""


CHARTS = (
    Chart("Return on validation problems", ((RETURN, "return"),), bounded=True),
    Chart("Steps of an exploration episode", (("validation_exploration_length", "steps"),)),
    Chart("Residual: share of the problem not known after exploring", (("residual", "residual"),)),
    Chart("Cost of an exploration step", (("step_cost", "cost"),)),
    Chart("KL: bound on what z holds of the problem, in nats", (("kl", "kl"),)),
)


def charts(rows: Sequence[Mapping[str, float]], bounds: Mapping[str, float]) -> list[dict[str, Any]]:
    """The charts that the run has metrics for."""
    found = []
    for chart in CHARTS:
        lines = [line for name, label in chart.metrics if (line := _line(rows, name, label)) is not None]
        if lines:
            found.append({"title": chart.title, "lines": lines, "bounds": dict(bounds) if chart.bounded else {}})
    return found


def _line(rows: Sequence[Mapping[str, float]], name: str, label: str) -> dict[str, Any] | None:
    noted = [row for row in rows if name in row]
    if not noted:
        return None
    places = np.unique(np.linspace(0, len(noted) - 1, min(POINTS, len(noted))).astype(int))
    few = [noted[place] for place in places]
    return {
        "label": label,
        "steps": plain([row["env_steps"] for row in few], 0),
        "seconds": plain([row.get("seconds", np.nan) for row in few], 1),
        "y": plain([row[name] for row in few], 4),
    }
