import pytest

from scoutrl.results.growth import Growth, SizeResult, first_solved
from scoutrl.results.rates import fit_rate, rate, slope_of_rate


def rows(*values):
    seen = [{} if value is None else {"validation_return": value} for value in values]
    return [{"env_steps": 10 * (i + 1), **one} for i, one in enumerate(seen)]


def test_who_arrives_stays():
    assert first_solved(rows(0.5, 1.0, None, 0.96, 1.0), "validation_return") == 20
    assert first_solved(rows(1.0, 0.9, 1.0), "validation_return") == 30
    assert first_solved(rows(1.0, 0.94), "validation_return") is None
    assert first_solved([], "validation_return") is None


def test_who_does_not_arrive_counts_with_the_budget_and_is_named():
    point = SizeResult.of(4, 100, 10, {0: 20, 1: None, 2: 60}, {3: "it broke"})
    assert point.censored == [1]
    assert point.middle is not None
    assert point.middle.iqm == 60
    assert not point.known
    growth = Growth.of([point, SizeResult.of(8, 100, 10, {}, {0: "it broke"})])
    assert growth.censored == 1
    assert growth.slope is None


def test_the_slope_is_that_of_a_power():
    points = [SizeResult.of(size, 10**6, 1, {0: 5 * size**2, 1: 5 * size**2}, {}) for size in (4, 8, 16)]
    growth = Growth.of(points)
    assert growth.slope == pytest.approx(2)
    assert growth.slope_ci95 == pytest.approx((2, 2))
    assert Growth.of([SizeResult.of(s, 10**6, 1, {0: s}, {}) for s in (4, 8)]).slope_ci95 is None


def test_a_quarter_of_the_seeds_may_be_late():
    late = [SizeResult.of(size, 10**6, 1, {0: size, 1: size, 2: size, 3: None}, {}) for size in (4, 8)]
    assert all(point.known for point in late)
    growth = Growth.of([*late, SizeResult.of(16, 10**6, 1, {0: 16, 1: None, 2: 16, 3: None}, {})])
    assert growth.slope == pytest.approx(1, abs=1e-3)
    assert growth.fitted == [4, 8]
    assert str(growth).startswith("slope up to 8 1.00 (")


def test_a_rate_is_put_where_the_points_are():
    points = [SizeResult.of(size, 10**9, 1, {0: round(1000 * float(rate(1, [size])[0]))}, {}) for size in (4, 8, 16)]
    factor, away = fit_rate(1, Growth.of(points))
    assert factor == pytest.approx(1000, rel=1e-3)
    assert away == pytest.approx(0, abs=1e-6)
    assert fit_rate(2, Growth.of(points))[1] > 0.1


def test_the_logarithm_adds_to_the_slope_of_a_rate():
    slopes = [slope_of_rate(power, (4, 8, 16, 32, 64)) for power in (1, 2)]
    assert slopes == pytest.approx([1.39, 2.39], abs=0.01)
