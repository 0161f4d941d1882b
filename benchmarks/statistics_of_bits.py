"""Statistical tests of random numbers: pure functions of words to a p-value, evenly spread over 0 … 1 for chance.

A p-value near 0 says that chance would hardly ever be so uneven, one near 1 that it would hardly ever be so even.
"""

import math

import numpy as np
from scipy import special

Words = np.ndarray
"""Random 32-bit words [n]."""


def chi_square(counts: np.ndarray, expected: np.ndarray | float) -> float:
    """Pearson's test of counts against what is expected of each; all of it is expected to add up to the counts."""
    counts = np.asarray(counts, float)
    statistic = ((counts - expected) ** 2 / expected).sum()
    return float(special.chdtrc(counts.size - 1, statistic))


def poisson(count: int, mean: float) -> float:
    """A count against Poisson's law, the middle of the chances of more and of no fewer."""
    more, equal = special.pdtrc(count, mean), math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    return float(more + equal / 2)


def uniformity(words: Words, shift: int, bits: int = 8) -> float:
    """Values of `bits` neighbouring bits, the lowest of them at `shift`, are all as frequent."""
    values = (words >> np.uint32(shift)) & np.uint32(2**bits - 1)
    return chi_square(np.bincount(values, minlength=2**bits), len(words) / 2**bits)


def serial(words: Words, lag: int, shift: int, bits: int = 6) -> float:
    """Pairs of values of `bits` bits, `lag` places apart and not overlapping, are all as frequent (Knuth 3.3.2 B)."""
    rows = words[: len(words) // (2 * lag) * (2 * lag)].reshape(-1, 2, lag)
    first, second = ((rows[:, i].ravel() >> np.uint32(shift)) & np.uint32(2**bits - 1) for i in range(2))
    pairs = first.astype(np.int64) << bits | second
    return chi_square(np.bincount(pairs, minlength=4**bits), len(pairs) / 4**bits)


def differing_bits(first: Words, second: Words) -> float:
    """How many bits differ between words that should have nothing to do with each other: binomial(32, 1/2)."""
    counts = np.bincount(np.bitwise_count(first ^ second), minlength=33)
    chances = np.array([math.comb(32, k) for k in range(33)]) / 2**32
    return chi_square(_tails(counts), _tails(chances) * len(first))


def repeated(words: Words, bits: int = 32) -> float:
    """As many words occur again as in a birthday lottery: not more, and not fewer, as of a permutation."""
    count = len(words)
    again = count - len(np.unique(words))
    return poisson(again, count * (count - 1) / 2 / 2**bits)


def matrix_rank(words: Words) -> float:
    """Ranks of 32x32 matrices of bits, one word a row (Marsaglia & Tsay 1985): linear generators fall short."""
    rows = words[: len(words) // 32 * 32].reshape(-1, 32).copy()
    ranks = np.zeros(len(rows), int)
    for bit in range(32):
        has = (rows >> np.uint32(bit)) & np.uint32(1) == 1
        pivot, some = has.argmax(axis=1), has.any(axis=1)
        chosen = np.where(some, rows[np.arange(len(rows)), pivot], 0).astype(np.uint32)
        rows ^= np.where(has, chosen[:, None], np.uint32(0))  # the pivot's own row becomes 0
        ranks += some
    counts = np.bincount(np.clip(ranks, 30, 32), minlength=33)[30:]
    full = math.prod(1 - 2.0**-k for k in range(1, 33))
    one_less = 2 * full * (1 - 2.0**-32)
    return chi_square(counts, np.array([1 - full - one_less, one_less, full]) * len(rows))


def birthday_spacings(words: Words, birthdays: int = 4096) -> float:
    """Among sorted words, equal spacings are as rare as by chance (Marsaglia 1985): lattices have too many."""
    groups = np.sort(words[: len(words) // birthdays * birthdays].reshape(-1, birthdays).astype(np.int64), axis=1)
    spacings = np.sort(np.diff(groups, axis=1), axis=1)
    equal = (np.diff(spacings, axis=1) == 0).sum()
    return poisson(int(equal), len(groups) * birthdays**3 / 4 / 2**32)


def _tails(x: np.ndarray) -> np.ndarray:
    """0 … 6 of 32 together, and 26 … 32, which are rare."""
    return np.concatenate([[x[:7].sum()], x[7:26], [x[26:].sum()]])
