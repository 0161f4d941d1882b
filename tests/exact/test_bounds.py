import numpy as np
import pytest
from probes.grid_rules import KitchenRules, worth
from probes.rooms import Rooms

import scoutrl
from scoutrl.exact.bounds import bounds


def test_bus():
    found = bounds(scoutrl.make("bus"))
    assert found["optimum"] == pytest.approx({"train": 0.8, "test": 0.8})
    assert found["walking"] == pytest.approx({"train": 0.3, "test": 0.3})
    assert found["random"]["test"] < -1
    assert set(found) == {"optimum", "random", "walking", "thompson", "thompson_one_draw", "no_exploration"}


def test_cooking_against_recursion_on_the_rules():
    found = bounds(scoutrl.make("cooking"))
    contents = [2, 2, 0]
    problem = [KitchenRules(10, (first, second)) for first in contents for second in contents]
    assert found["optimum"]["test"] == pytest.approx(np.mean([worth(goal, max) for goal in problem]), abs=1e-5)
    assert found["random"]["test"] == pytest.approx(np.mean([worth(goal, np.mean) for goal in problem]), abs=1e-5)
    assert found["optimum"]["train"] == pytest.approx(0.399, abs=1e-3)


def test_lever():
    found = bounds(scoutrl.make("lever", size=8))
    for name, x in [("optimum", 1), ("random", 1 / 8), ("no_information", 1 / 8)]:
        assert found[name] == {"train": x, "test": x}


def test_a_family_that_cannot_be_enumerated():
    with pytest.raises(scoutrl.ScoutError, match="Rooms has no exact bounds: its states cannot be listed"):
        bounds(Rooms())
