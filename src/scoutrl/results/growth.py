"""Samples to the optimum against the number of levers |A|: per size, and the slope over the sizes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from scoutrl.results.statistics import Iqm, bootstrap_interval, interquartile_mean

AT_OPTIMUM = 0.95
"""An agent counts as optimal from this share of the problems, or of the best return, upwards."""


@dataclasses.dataclass(frozen=True)
class SizeResult:
    """Samples to the optimum at one number of levers, over seeds."""

    size: int
    """|A|: the number of levers, and of problems."""
    budget: int
    """Environment steps that every seed was trained for, at least."""
    every: int
    """Environment steps between two evaluations."""
    env_steps: dict[int, int | None]
    """For each seed that did not fail, its steps to the optimum; None if it was not there within the budget."""
    failed: dict[int, str]
    """For each seed that failed, the reason."""
    middle: Iqm | None
    """Interquartile mean of `samples`; None if all seeds failed."""

    @staticmethod
    def of(
        size: int, budget: int, every: int, env_steps: dict[int, int | None], failed: dict[int, str]
    ) -> "SizeResult":
        """The result of one size, summed up over the seeds."""
        samples = [budget if steps is None else steps for steps in env_steps.values()]
        return SizeResult(size, budget, every, env_steps, failed, Iqm.of(samples) if samples else None)

    @property
    def censored(self) -> list[int]:
        """The seeds that were not at the optimum within the budget: all that is known is that they take more."""
        return [seed for seed, steps in self.env_steps.items() if steps is None]

    @property
    def known(self) -> bool:
        """Whether the interquartile mean cuts off all censored seeds, and so does not depend on what they take."""
        return bool(self.env_steps) and len(self.censored) <= len(self.env_steps) // 4

    @property
    def samples(self) -> Float[np.ndarray, " seeds"]:
        """Steps to the optimum of each seed; a censored one counts with the budget."""
        return np.array([self.budget if steps is None else steps for steps in self.env_steps.values()], float)


@dataclasses.dataclass(frozen=True)
class Growth:
    """How the samples of one algorithm grow with |A|."""

    points: tuple[SizeResult, ...]
    """One result per size, in rising order."""
    slope: float | None
    """Slope of the known interquartile means on logarithmic axes; None with fewer than two of them."""
    slope_ci95: tuple[float, float] | None
    """95% bootstrap interval of the slope, the seeds of each size resampled; None with a single seed."""

    @staticmethod
    def of(points: Sequence[SizeResult]) -> "Growth":
        """Fit the slope to the sizes whose mean is known: with the others, one would fit their budgets."""
        used = [point for point in points if point.known]
        if len(used) < 2:
            return Growth(tuple(points), None, None)
        logs = np.log([point.size for point in used])

        def slope(*samples: np.ndarray, axis: int = -1) -> Any:
            means = np.stack([np.log(interquartile_mean(seeds, axis=axis)) for seeds in samples], axis=-1)
            return ((logs - logs.mean()) * means).sum(axis=-1) / ((logs - logs.mean()) ** 2).sum()

        samples = [point.samples for point in used]
        ends = bootstrap_interval(samples, slope) if min(map(len, samples)) > 1 else None
        return Growth(tuple(points), float(slope(*samples)), (float(ends[0]), float(ends[1])) if ends else None)

    @property
    def censored(self) -> int:
        """Number of censored seeds, over all sizes."""
        return sum(len(point.censored) for point in self.points)

    @property
    def fitted(self) -> list[int]:
        """The sizes that the slope is fitted to."""
        return [point.size for point in self.points if point.known]

    def __str__(self) -> str:
        if self.slope is None:
            return "no slope"
        interval = f" ({self.slope_ci95[0]:.2f} … {self.slope_ci95[1]:.2f})" if self.slope_ci95 else ""
        some = "" if len(self.fitted) == len(self.points) else f" up to {max(self.fitted)}"
        return f"slope{some} {self.slope:.2f}{interval}"

    def to_dict(self) -> dict[str, Any]:
        """All fields as what JSON can hold, with the censored seeds and the fitted sizes beside them."""
        counts = [{"censored": point.censored, "seeds_sound": len(point.env_steps)} for point in self.points]
        points = [dataclasses.asdict(point) | count for point, count in zip(self.points, counts, strict=True)]
        return {
            "slope": self.slope,
            "slope_ci95": self.slope_ci95,
            "slope_sizes": self.fitted,
            "censored": self.censored,
            "points": points,
        }


def first_solved(rows: Sequence[Mapping[str, float]], name: str) -> int | None:
    """The environment steps of the evaluation from which on a metric stays at its optimum.

    Args:
        rows: the rows of a run's metrics; evaluations are those that have `name`.
        name: a metric whose optimum is 1; from `AT_OPTIMUM` upwards it counts as optimal.

    Returns:
        `env_steps` of the first evaluation at which, and at all later ones, the metric is optimal; None if the last
        evaluation is not, or if there is none.
    """
    steps = None
    for row in rows:
        if name in row:
            optimal = row[name] >= AT_OPTIMUM
            steps = (int(row["env_steps"]) if steps is None else steps) if optimal else None
    return steps
