import pytest

from scoutrl.evaluation.scores import Estimate
from scoutrl.exact.length import ExplorationLength
from scoutrl.reporting.page.bars import length_bars, return_bars


def test_what_was_reached_lies_between_the_bounds():
    own = {"dream": Estimate(0.6, (0.5, 0.7))}
    bounds = {"optimum": 0.8, "no_exploration": 0.0, "walking": 0.3}
    dream, optimum, nothing = return_bars(own, bounds, {"dream": [0.4, 0.8]})
    assert (dream.at, dream.low, dream.high) == (75.0, 62.5, 87.5)
    assert dream.seeds == (50.0, 100.0)
    assert (optimum.at, nothing.at) == (100.0, 0.0)
    assert [bar.own for bar in (dream, optimum, nothing)] == [True, False, False]


def test_what_is_far_below_is_at_the_end_of_the_axis():
    bars = return_bars({"dream": Estimate(0.6, None)}, {"optimum": 0.8, "random": -20.0})
    assert [bar.beyond for bar in bars] == [False, False, True]
    assert bars[-1].text == "−20.00"
    assert bars[0].at < 80 < bars[1].at


def test_a_return_without_bounds_is_measured_from_nothing():
    (bar,) = return_bars({"dream": Estimate(-0.5, (-1.0, 0.0))}, {})
    assert (bar.at, bar.low, bar.high) == (50.0, 0.0, 100.0)


def test_exploration_is_measured_from_no_steps():
    own, shortest, longest = length_bars({"dream": 5.0}, ExplorationLength("exact", 4.0), 20)
    assert [bar.at for bar in (own, shortest, longest)] == [25.0, 20.0, 100.0]
    assert shortest.name == "shortest that suffices (exact)"
    (alone, _) = length_bars({"dream": 5.0}, ExplorationLength("unknown", None, "why"), 10)
    assert alone.at == pytest.approx(50)
    assert length_bars({}, None, None) == []
