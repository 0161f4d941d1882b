"""How alike two pictures are."""

import numpy as np
from scipy.ndimage import uniform_filter

WINDOW = 7


def ssim(one, other):
    """Mean structural similarity of uint8 pictures [height, width, 3] (Wang et al. 2004).

    As scikit-image has it by default (`structural_similarity(one, other, channel_axis=-1, data_range=255)`): uniform
    windows of 7 x 7, sample covariances, K1 = 0.01, K2 = 0.03, mean over all windows that lie inside and over channels.
    """
    one, other = one.astype(np.float64), other.astype(np.float64)
    count = WINDOW**2

    def mean(picture):
        half = WINDOW // 2
        return uniform_filter(uniform_filter(picture, WINDOW, axes=(0,)), WINDOW, axes=(1,))[half:-half, half:-half]

    a, b = mean(one), mean(other)
    unbiased = count / (count - 1)
    spread_a, spread_b = unbiased * (mean(one * one) - a * a), unbiased * (mean(other * other) - b * b)
    together = unbiased * (mean(one * other) - a * b)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return ((2 * a * b + c1) * (2 * together + c2) / ((a * a + b * b + c1) * (spread_a + spread_b + c2))).mean()


def mean_error(one, other):
    """Mean absolute error, of 255."""
    return np.abs(one.astype(int) - other.astype(int)).mean()
