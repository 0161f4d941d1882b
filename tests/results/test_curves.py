import pytest

from scoutrl.results.curves import curve


def rows(*seen, seconds=1.0):
    """Rows of metrics at (steps, return); a return of None is a row without an evaluation."""
    found = []
    for steps, score in seen:
        row = {"env_steps": steps, "seconds": seconds * steps / 100}
        found.append(row if score is None else row | {"validation_return": score})
    return found


def test_seeds_are_joined_where_all_have_been_evaluated():
    slow, fast = rows((100, 0.0), (200, None), (300, 1.0)), rows((0, 1.0), (200, 1.0), (400, 3.0))
    found = curve([slow, fast], "env_steps")
    assert found is not None
    assert (found.x[0], found.x[-1], found.seeds) == (100, 300, 2)
    # At 300 steps the fast one is halfway between 1 and 3.
    assert (found.iqm[0], found.iqm[-1]) == (0.5, 1.5)
    assert found.low is not None
    assert found.high is not None
    assert (found.low[0], found.high[0]) == (0.0, 1.0)


def test_the_same_along_seconds():
    found = curve([rows((100, 0.0), (300, 1.0), seconds=2.0)], "seconds")
    assert found is not None
    assert (found.x[0], found.x[-1]) == (2.0, 6.0)
    assert found.low is None
    assert found.iqm[50] == pytest.approx((found.x[50] - 2) / 4)


def test_without_a_seed_or_an_evaluation_there_is_no_curve():
    assert curve([], "env_steps") is None
    assert curve([rows((100, 0.0)), rows((100, None))], "env_steps") is None
    single = curve([rows((100, 0.5))], "env_steps")
    assert single is not None
    assert single.x == [100]
