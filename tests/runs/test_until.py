"""The return that training stops at: how it is given, and when it is held."""

import pytest
from probes.puzzles import two_arms
from probes.rooms import Rooms
from probes.scripted import Script

from scoutrl.errors import ScoutError
from scoutrl.runs import presets
from scoutrl.runs.config import resolve
from scoutrl.runs.until import is_held, read_until

NAMES = f"{Script.__module__}:Script", f"{Rooms.__module__}:Rooms"


def test_a_return_is_a_number_a_share_of_the_optimum_or_none():
    def unused():
        pytest.fail("the family is made for a share only")

    found = [read_until(given, unused) for given in ("0.75", 2, "-1e2", "none", "None")]
    assert found == [0.75, 2.0, -100.0, None, None]
    # The optimum is 3/4 in one problem and 1 in the other.
    assert read_until("80%", two_arms) == pytest.approx(0.7)
    for given in ("soon", "", "%", "nan", "inf", True):
        with pytest.raises(ScoutError, match="until takes a return such as"):
            read_until(given, unused)
    for given in ("0%", "101%"):
        with pytest.raises(ScoutError, match="above 0% and up to 100%"):
            read_until(given, two_arms)
    with pytest.raises(ScoutError, match="give until as a number: 95% of the optimum is unknown, as Rooms has no"):
        read_until("95%", Rooms)


def test_a_return_is_held_in_five_evaluations_in_a_row():
    assert is_held([0.0] + [1.0] * 5, 1.0)
    assert is_held([0.7999996, 0.8, 0.9, 0.8, 0.8], 0.8), "rounding makes no difference"
    for returns in ([], [1.0] * 4, [1.0] * 4 + [0.99], [1.0, 0.0] + [1.0] * 4):
        assert not is_held(returns, 1.0)
    assert not is_held([1.0] * 9, None)


@pytest.mark.slow
def test_presets_stop_early_unless_steps_or_none_are_asked_for(monkeypatch):
    monkeypatch.setitem(presets.PRESETS, NAMES, {"quick": presets.Preset(77, until=1.5)})
    assert resolve(*NAMES, "quick").until == 1.5
    assert resolve(*NAMES, "quick", until="none").until is None
    assert resolve(*NAMES, "quick", steps=77).until is None
    assert resolve(*NAMES, "quick", steps=77, until=1).until == 1.0
    assert resolve(*NAMES).until is None
    assert resolve(*NAMES, "quick", until=2).identity() == resolve(*NAMES, "quick", steps=5).identity()
    assert {name for name in presets.BUDGETS if resolve("dream", name).until} == set(presets.UNTIL)
