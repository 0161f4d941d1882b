"""How many samples learning takes, against the number of levers: points, slopes, and the rates of the theory."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from scoutrl.results.statistics import Iqm, interquartile_mean, interval, middle

AT_OPTIMUM = 0.95
"""The part of the problems, or of the best return, from which on an agent counts as being at the optimum."""
RATES = {"|A| log |A|": 1, "|A|² log |A|": 2}
"""The rates of the theory by name, and the power of |A| in each."""


@dataclasses.dataclass(frozen=True)
class Point:
    """Samples to the optimum at one number of levers."""

    size: int
    """|A|, levers and problems."""
    budget: int
    """Environment steps that every seed was trained for, at least."""
    every: int
    """Environment steps between two evaluations."""
    env_steps: dict[int, int | None]
    """Seed to the steps it took; None: not at the optimum within the budget."""
    failed: dict[int, str]
    """Seed to why it failed."""
    middle: Iqm | None
    """Over the seeds that did not fail; one that did not arrive counts with its budget. None where all failed."""

    @staticmethod
    def of(size: int, budget: int, every: int, env_steps: dict[int, int | None], failed: dict[int, str]) -> "Point":
        """Sum up the seeds."""
        samples = [budget if steps is None else steps for steps in env_steps.values()]
        return Point(size, budget, every, env_steps, failed, middle(samples) if samples else None)

    @property
    def censored(self) -> list[int]:
        """The seeds that did not arrive: what they take is more than the budget, and unknown."""
        return [seed for seed, steps in self.env_steps.items() if steps is None]

    @property
    def known(self) -> bool:
        """The interquartile mean is what it is, however long the seeds that did not arrive take: all are cut off."""
        return bool(self.env_steps) and len(self.censored) <= len(self.env_steps) // 4

    @property
    def samples(self) -> Float[np.ndarray, " seeds"]:
        """Steps of each seed; the budget of those that did not arrive."""
        return np.array([self.budget if steps is None else steps for steps in self.env_steps.values()], float)


@dataclasses.dataclass(frozen=True)
class Growth:
    """How samples grow with |A|, for one algorithm."""

    points: tuple[Point, ...]
    """By size."""
    slope: float | None
    """Slope of the interquartile means that are known, on logarithmic axes; None with fewer than two of them."""
    ci95: tuple[float, float] | None
    """95% bootstrap interval of the slope, the seeds of each size resampled; None with a single seed."""

    @staticmethod
    def of(points: Sequence[Point]) -> "Growth":
        """Fit the slope to the points that are known: where seeds have not arrived, one would fit the budgets."""
        used = [point for point in points if point.known]
        if len(used) < 2:
            return Growth(tuple(points), None, None)
        logs = np.log([point.size for point in used])

        def slope(*samples: np.ndarray, axis: int = -1) -> Any:
            heights = np.stack([np.log(interquartile_mean(one, axis=axis)) for one in samples], axis=-1)
            return ((logs - logs.mean()) * heights).sum(axis=-1) / ((logs - logs.mean()) ** 2).sum()

        samples = [point.samples for point in used]
        ends = interval(samples, slope) if min(map(len, samples)) > 1 else None
        return Growth(tuple(points), float(slope(*samples)), (float(ends[0]), float(ends[1])) if ends else None)

    @property
    def censored(self) -> int:
        """Seeds that did not arrive, over all sizes."""
        return sum(len(point.censored) for point in self.points)

    @property
    def fitted(self) -> list[int]:
        """The sizes behind the slope."""
        return [point.size for point in self.points if point.known]

    def __str__(self) -> str:
        if self.slope is None:
            return "no slope"
        interval = f" ({self.ci95[0]:.2f} … {self.ci95[1]:.2f})" if self.ci95 else ""
        some = "" if len(self.fitted) == len(self.points) else f" up to {max(self.fitted)}"
        return f"slope{some} {self.slope:.2f}{interval}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as what JSON can hold."""
        counts = [{"censored": point.censored, "seeds_sound": len(point.env_steps)} for point in self.points]
        points = [dataclasses.asdict(point) | count for point, count in zip(self.points, counts, strict=True)]
        return {
            "slope": self.slope,
            "slope_ci95": self.ci95,
            "slope_sizes": self.fitted,
            "censored": self.censored,
            "points": points,
        }


def first_solved(rows: Sequence[Mapping[str, float]], name: str) -> int | None:
    """Environment steps at the first evaluation from which on `name` is at the optimum at every evaluation.

    None where the last evaluation, or every one, is below it. `rows` are metrics; `name` is one whose optimum is 1.
    """
    steps = None
    for row in rows:
        if name in row:
            good = row[name] >= AT_OPTIMUM
            steps = (int(row["env_steps"]) if steps is None else steps) if good else None
    return steps


def rate(power: int, sizes: Sequence[float] | np.ndarray) -> np.ndarray:
    """|A|^power log |A|."""
    sizes = np.asarray(sizes, float)
    return sizes**power * np.log(sizes)


def height(power: int, growth: Growth) -> tuple[float, float]:
    """The factor with which a rate comes nearest to the points, and how far it stays away (mean square of logs)."""
    used = [point for point in growth.points if point.known]
    away = np.log([point.middle.iqm for point in used if point.middle]) - np.log(rate(power, [p.size for p in used]))
    return float(np.exp(away.mean())), float(away.var())
