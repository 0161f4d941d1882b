import numpy as np
import pytest

from scoutrl.results.statistics import Band, Iqm, bootstrap_interval


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end():
    assert Iqm.of([5.0]).iqm == 5
    assert Iqm.of([1.0, 3.0, 8.0]).iqm == 4
    assert Iqm.of([-100.0, 1.0, 2.0, 100.0]).iqm == 1.5
    assert Iqm.of([0.0, 4.0, 5.0, 9.0, 1000.0]).iqm == 6
    assert Iqm.of([-9.0, -9.0, 1.0, 2.0, 3.0, 6.0, 99.0, 99.0]).iqm == 3


def test_with_one_seed_there_is_no_interval():
    assert Iqm.of([5.0]).ci95 is None
    assert Band.of(np.zeros((1, 3))).low is None


def test_intervals_are_over_seeds():
    # Of two seeds the resampled means are 0, 1/2 and 1, with probabilities 1/4, 1/2 and 1/4.
    assert Iqm.of([0.0, 1.0]).ci95 == (0.0, 1.0)
    assert Iqm.of([2.0] * 5).ci95 == (2.0, 2.0)
    found = Iqm.of([0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.ci95 is not None
    assert 0.1 <= found.ci95[0] < found.iqm < found.ci95[1] <= 0.5
    assert Iqm.of([0.1, 0.2, 0.3, 0.4, 0.5]) == found


def test_a_band_is_its_points():
    samples = np.random.default_rng(0).normal(size=(6, 3))
    found = Band.of(samples)
    for point in range(3):
        alone = Iqm.of(list(samples[:, point]))
        assert found.iqm[point] == pytest.approx(alone.iqm)
        assert found.low is not None
        assert alone.ci95 is not None
        assert found.low[point] == pytest.approx(alone.ci95[0], abs=0.05)


def test_the_groups_of_an_interval_are_resampled_apart():
    # Were they resampled together, the difference would always be 1.
    low, high = bootstrap_interval([np.array([0.0, 1.0]), np.array([1.0, 2.0])], lambda a, b, axis: (b - a).mean(axis))
    assert (low, high) == (0.0, 2.0)
