"""Learning curves: the returns on unseen problems that runs noted while they learnt, over steps or seconds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from scoutrl.results.statistics import band

Along = Literal["env_steps", "seconds"]
"""What a curve runs along: environment steps, or seconds of training without compilation."""
POINTS = 100
"""Points of a curve."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """Return against steps or seconds, over seeds; all fields but `seeds` are [points]."""

    x: list[float]
    """From the last seed's first evaluation to the first seed's last: every point has all seeds."""
    iqm: list[float]
    """Interquartile mean over the seeds."""
    low: list[float] | None
    """Lower end of the 95% bootstrap interval over the seeds; None with a single seed."""
    high: list[float] | None
    """Upper end."""
    seeds: int
    """Number of seeds."""


def curve(runs: Sequence[Sequence[Mapping[str, float]]], along: Along) -> Curve | None:
    """The curve of several seeds, each given by the rows of its metrics.

    Seeds are not evaluated at the same moments; between two evaluations a seed's return is taken to be on the line that
    joins them. None where there is no seed, or a seed without an evaluation.
    """
    tracks = [_track(rows, along) for rows in runs]
    if not tracks or any(not len(moments) for moments, _ in tracks):
        return None
    first = max(moments[0] for moments, _ in tracks)
    last = max(first, min(moments[-1] for moments, _ in tracks))
    x = np.linspace(first, last, POINTS if last > first else 1)
    found = band(np.stack([np.interp(x, moments, returns) for moments, returns in tracks]))
    low, high = (None if end is None else end.tolist() for end in (found.low, found.high))
    return Curve(x.tolist(), found.iqm.tolist(), low, high, len(tracks))


def _track(rows: Sequence[Mapping[str, float]], along: Along) -> tuple[np.ndarray, np.ndarray]:
    """The moments at which a seed was evaluated, and its returns."""
    seen = [(row[along], row["test_return"]) for row in rows if "test_return" in row]
    return np.array([moment for moment, _ in seen]), np.array([score for _, score in seen])
