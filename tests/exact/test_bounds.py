import numpy as np
import pytest
from probes.grid_rules import KitchenRules, worth
from probes.rooms import Rooms

import scoutrl
from scoutrl.envs.problems import SPLITS
from scoutrl.exact.bounds import bounds, optimum


@pytest.mark.slow
def test_bus():
    found = bounds(scoutrl.make("bus"))
    assert found["optimum"] == pytest.approx(dict.fromkeys(SPLITS, 0.8))
    assert found["walking"] == pytest.approx(dict.fromkeys(SPLITS, 0.3))
    assert found["random"]["test"] < -1
    assert set(found) == {"optimum", "random", "walking", "thompson", "thompson_one_draw", "no_exploration"}


@pytest.mark.slow
def test_cooking_against_recursion_on_the_rules():
    family = scoutrl.make("cooking")
    found = bounds(family)
    contents = [2, 2, 0]
    problem = [KitchenRules(10, (first, second)) for first in contents for second in contents]
    assert found["optimum"]["test"] == pytest.approx(np.mean([worth(goal, max) for goal in problem]), abs=1e-5)
    assert found["random"]["test"] == pytest.approx(np.mean([worth(goal, np.mean) for goal in problem]), abs=1e-5)
    # Of the 63 problems that are not the test.
    sizes = {split: len(family.problems.rows(split)) for split in ("train", "validation")}
    assert sizes == {"train": 57, "validation": 6}
    mean = sum(sizes[split] * found["optimum"][split] for split in sizes) / 63
    assert mean == pytest.approx(0.398942, abs=1e-5)
    assert optimum(family) == found["optimum"]


def test_lever():
    found = bounds(scoutrl.make("lever", size=8))
    for name, x in [("optimum", 1), ("random", 1 / 8), ("no_information", 1 / 8)]:
        assert found[name] == dict.fromkeys(SPLITS, x)


def test_a_family_that_cannot_be_enumerated():
    with pytest.raises(scoutrl.ScoutError, match="Rooms has no exact bounds: its states cannot be listed"):
        bounds(Rooms())
