"""Learning curves over seeds: returns on validation problems during training, against steps or seconds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from scoutrl.results.statistics import Band
from scoutrl.runs.metrics import RETURN

Along = Literal["env_steps", "seconds"]
"""The metric on the x axis: environment steps, or seconds of training without compilation."""
POINTS = 100
"""Number of points of a curve."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """Return against steps or seconds, over seeds; all fields but `seeds` are [points]."""

    x: list[float]
    """Evenly spaced from the latest first evaluation to the earliest last one, so that every seed is at every point."""
    iqm: list[float]
    """Interquartile mean of the return over the seeds."""
    low: list[float] | None
    """Lower end of the 95% bootstrap interval over the seeds; None with a single seed."""
    high: list[float] | None
    """Upper end of the 95% bootstrap interval over the seeds; None with a single seed."""
    seeds: int
    """Number of seeds."""


def curve(runs: Sequence[Sequence[Mapping[str, float]]], along: Along) -> Curve | None:
    """The learning curve of several seeds.

    Seeds are evaluated at different moments; a seed's return between two evaluations is interpolated linearly.

    Args:
        runs: for each seed the rows of its metrics; evaluations are the rows with `validation_return`.
        along: the metric on the x axis.

    Returns:
        The curve; None if there is no seed, or if a seed was never evaluated.
    """
    seeds = [_evaluations(rows, along) for rows in runs]
    if not seeds or any(not len(moments) for moments, _ in seeds):
        return None
    first = max(moments[0] for moments, _ in seeds)
    last = max(first, min(moments[-1] for moments, _ in seeds))
    x = np.linspace(first, last, POINTS if last > first else 1)
    band = Band.of(np.stack([np.interp(x, moments, returns) for moments, returns in seeds]))
    low, high = (None if end is None else end.tolist() for end in (band.low, band.high))
    return Curve(x.tolist(), band.iqm.tolist(), low, high, len(seeds))


def _evaluations(rows: Sequence[Mapping[str, float]], along: Along) -> tuple[np.ndarray, np.ndarray]:
    """The moments [evaluations] at which a seed was evaluated, and its returns [evaluations]."""
    evaluated = [row for row in rows if RETURN in row and along in row]
    return np.array([row[along] for row in evaluated]), np.array([row[RETURN] for row in evaluated])
