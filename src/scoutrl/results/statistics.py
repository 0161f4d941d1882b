"""Statistics over seeds: interquartile means with bootstrap intervals. The samples are seeds, never episodes.

The interquartile mean leaves out the lowest and the highest quarter of the seeds, so that one lucky or broken seed does
not decide a comparison (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice").
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

RESAMPLES = 5000
"""Bootstrap resamples behind each interval."""
_BATCH = 500
"""Resamples at a time: bounds the memory."""


@dataclasses.dataclass(frozen=True)
class Iqm:
    """The interquartile mean of one number per seed, with its interval."""

    iqm: float
    """Interquartile mean over the seeds; with fewer than four seeds this is the mean."""
    ci95: tuple[float, float] | None
    """95% percentile bootstrap interval over the seeds, low then high; None with a single seed."""
    seeds: int
    """Number of seeds."""

    @staticmethod
    def of(samples: Sequence[float]) -> "Iqm":
        """The interquartile mean of `samples` [seeds]: one finite number per seed, at least one."""
        band = Band.of(np.asarray(samples, np.float64)[:, None])
        interval = None if band.low is None or band.high is None else (float(band.low[0]), float(band.high[0]))
        return Iqm(float(band.iqm[0]), interval, len(samples))

    def __str__(self) -> str:
        return f"{self.iqm:.3f}" + (f"  ({self.ci95[0]:.3f} … {self.ci95[1]:.3f})" if self.ci95 else "")


@dataclasses.dataclass(frozen=True)
class Band:
    """Interquartile means at many points, with intervals."""

    iqm: Float[np.ndarray, " points"]
    """Interquartile mean over the seeds at each point."""
    low: Float[np.ndarray, " points"] | None
    """Lower end of the 95% interval; None with a single seed."""
    high: Float[np.ndarray, " points"] | None
    """Upper end of the 95% interval; None with a single seed."""

    @staticmethod
    def of(samples: Float[np.ndarray, "seeds points"]) -> "Band":
        """The interquartile mean over the seeds at each point; the bootstrap resamples whole seeds."""
        iqm = interquartile_mean(samples, axis=0)
        if len(samples) == 1:
            return Band(iqm, None, None)
        low, high = bootstrap_interval([samples], interquartile_mean)
        return Band(iqm, low, high)


@dataclasses.dataclass(frozen=True)
class Improvement:
    """How likely one algorithm is to do better than another: P(X > Y), ties counting half (Agarwal et al. 2021)."""

    probability: float
    """For a seed of the one and a seed of the other, drawn at random: 0.5 is no difference."""
    ci95: tuple[float, float] | None
    """95% percentile bootstrap interval over the seeds of both, low then high; None where one has a single seed."""

    @staticmethod
    def of(one: Sequence[float], other: Sequence[float]) -> "Improvement":
        """Of `one` [seeds] over `other` [seeds], each at least one finite number."""
        x, y = np.asarray(one, np.float64), np.asarray(other, np.float64)
        interval = None
        if min(len(x), len(y)) > 1:
            low, high = bootstrap_interval([x, y], _superiority)
            interval = float(low), float(high)
        return Improvement(float(_superiority(x, y, axis=-1)), interval)


def _superiority(x: np.ndarray, y: np.ndarray, axis: int) -> Any:
    """The share of pairs in which x is larger; `axis` is that of the seeds in both."""
    x, y = np.moveaxis(x, axis, -1)[..., :, None], np.moveaxis(y, axis, -1)[..., None, :]
    return ((x > y) + 0.5 * (x == y)).mean(axis=(-2, -1))


def interquartile_mean(samples: np.ndarray, axis: int = -1) -> Any:
    """The mean along `axis` after a quarter of the samples, rounded down, is cut off at either end."""
    from scipy.stats import trim_mean  # takes a second to import

    return trim_mean(samples, 0.25, axis=axis)


def bootstrap_interval(samples: Sequence[np.ndarray], statistic: Callable[..., Any]) -> tuple[Any, Any]:
    """The 95% percentile bootstrap interval of a statistic of one or several groups of seeds.

    Args:
        samples: one array per group, with at least two seeds on the first axis; each group is resampled by itself.
        statistic: a function of as many arrays as there are groups, and of `axis`, the axis of the seeds.

    Returns:
        The lower and the upper end. The same samples always give the same numbers.
    """
    from scipy.stats import bootstrap

    interval = bootstrap(
        [np.asarray(group, np.float64) for group in samples],
        statistic,
        axis=0,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=_BATCH,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return interval.low, interval.high
