"""What several seeds come to: interquartile means with bootstrap intervals. Seeds are the samples, never episodes.

The interquartile mean leaves out the lowest and the highest quarter of the seeds, so that one lucky or broken seed does
not decide a comparison (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice").
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

RESAMPLES = 5000
"""Resamples behind each interval."""
_BATCH = 500
"""Resamples at a time: bounds the memory."""


@dataclasses.dataclass(frozen=True)
class Iqm:
    """The interquartile mean of seeds and how sure of it one can be."""

    iqm: float
    """Interquartile mean over the seeds; of fewer than four seeds it is the mean."""
    ci95: tuple[float, float] | None
    """95% percentile bootstrap interval over the seeds, low then high; None with a single seed."""
    seeds: int
    """Number of seeds."""

    def __str__(self) -> str:
        return f"{self.iqm:.3f}" + (f"  ({self.ci95[0]:.3f} … {self.ci95[1]:.3f})" if self.ci95 else "")


@dataclasses.dataclass(frozen=True)
class Band:
    """Interquartile means at many points, with intervals."""

    iqm: Float[np.ndarray, " points"]
    low: Float[np.ndarray, " points"] | None
    """Lower end of the 95% interval; None with a single seed."""
    high: Float[np.ndarray, " points"] | None


def middle(samples: Sequence[float]) -> Iqm:
    """Sum up one number per seed [seeds], at least one, all finite."""
    found = band(np.asarray(samples, np.float64)[:, None])
    interval = None if found.low is None or found.high is None else (float(found.low[0]), float(found.high[0]))
    return Iqm(float(found.iqm[0]), interval, len(samples))


def band(samples: Float[np.ndarray, "seeds points"]) -> Band:
    """Sum up the seeds at each point; seeds are resampled whole."""
    iqm = interquartile_mean(samples, axis=0)
    if len(samples) == 1:
        return Band(iqm, None, None)
    low, high = interval([samples], interquartile_mean)
    return Band(iqm, low, high)


def interquartile_mean(samples: np.ndarray, axis: int = -1) -> Any:
    """Mean of what is left when a quarter of the samples, rounded down, is cut off at either end."""
    from scipy.stats import trim_mean  # takes a second to import

    return trim_mean(samples, 0.25, axis=axis)


def interval(samples: Sequence[np.ndarray], statistic: Callable[..., Any]) -> tuple[Any, Any]:
    """95% percentile bootstrap interval of a statistic of one or several groups of seeds.

    Args:
        samples: one array per group with the seeds, at least two, on the first axis; each is resampled by itself.
        statistic: from as many arrays, and `axis`, the axis of seeds.

    Returns:
        Low and high. The same samples give the same numbers.
    """
    from scipy.stats import bootstrap

    found = bootstrap(
        [np.asarray(one, np.float64) for one in samples],
        statistic,
        axis=0,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=_BATCH,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return found.low, found.high
