"""The rates at which samples grow with the number of levers |A| in theory (Liu et al. 2021, section 5)."""

from collections.abc import Sequence

import numpy as np

from scoutrl.results.growth import Growth, SizeResult

RATES = {"|A| log |A|": 1, "|A|² log |A|": 2}
"""The growth rates that the theory predicts, by name, with the power of |A| in each."""


def rate(power: int, sizes: Sequence[float] | np.ndarray) -> np.ndarray:
    """A rate of the theory, |A|^power log |A|, at each size."""
    sizes = np.asarray(sizes, float)
    return sizes**power * np.log(sizes)


def fit_rate(power: int, growth: Growth) -> tuple[float, float]:
    """Fit a factor times a rate to the known interquartile means, by least squares of logarithms.

    Returns:
        The factor, and the mean squared difference of logarithms that is left.
    """
    used = [point for point in growth.points if point.known]
    means, sizes = [point.middle.iqm for point in used if point.middle], [point.size for point in used]
    difference = np.log(means) - np.log(rate(power, sizes))
    return float(np.exp(difference.mean())), float(difference.var())


def slope_of_rate(power: int, sizes: Sequence[int]) -> float | None:
    """The slope that a rate itself has over these sizes: its logarithm adds to the power."""
    points = [SizeResult.of(size, 0, 0, {0: round(1e6 * float(rate(power, [size])[0]))}, {}) for size in sizes]
    return Growth.of(points).slope
