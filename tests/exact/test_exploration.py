"""The shortest exploration that suffices: against numbers worked out by hand, and against recursion over fractions."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from probes.puzzles import Puzzle, scrambled, three_arms, two_arms, wings
from probes.rooms import Rooms

import scoutrl
from scoutrl.exact import search
from scoutrl.exact.exploration import exploration_length
from scoutrl.exact.length import ExplorationLength


def length(env) -> ExplorationLength:
    found = exploration_length(env)
    assert found["train"] == found["test"]
    return found["test"]


def exact(steps) -> ExplorationLength:
    return ExplorationLength("exact", round(float(steps), 6))


@pytest.mark.slow
def test_what_makes_no_difference_need_not_be_known():
    env = two_arms()
    assert length(Puzzle(env.leads, env.pays[:1].repeat(2, axis=0), env.shows, horizon=1)) == exact(0)


def test_one_pull_of_two_arms_tells():
    assert length(two_arms()) == exact(1)


@pytest.mark.slow
def test_a_look_is_worth_a_step():
    """Three arms cannot be told apart by one pull."""
    assert length(three_arms(looks=1, horizon=1)) == exact(1)
    assert length(three_arms(looks=0, horizon=1)).kind == "never"


def test_what_can_be_looked_up_while_exploiting_at_no_cost_need_not_be_known():
    assert length(three_arms(looks=1, horizon=2)) == exact(0)


def test_where_to_go_depends_on_what_was_seen():
    """To the hall, then to the room: 2 steps; or to the right, with the corridor: 3. Any fixed order takes longer.

    The best fixed plan looks into the left room, and goes back to the right if need be: 2 or 5 steps.
    """
    assert length(wings()) == exact(Fraction(2 + 3, 2))


def test_a_start_that_is_not_shown_is_no_part_of_the_question():
    pays = np.zeros((2, 2, 2))
    pays[:, [0, 1], [0, 1]] = 1
    found = length(Puzzle(np.zeros((2, 2, 2), int), pays, np.zeros((2, 2), int), horizon=1))
    assert found.kind == "unknown"
    assert "start" in str(found)


def test_families_that_cannot_be_listed():
    assert length(Rooms()) == ExplorationLength("unknown", None, "the states of Rooms cannot be listed")


def test_lever():
    assert length(scoutrl.make("lever", size=8)) == exact(1)


def test_the_map_is_four_steps_away():
    assert length(scoutrl.make("map")) == exact(4)


@pytest.mark.slow
def test_three_buses_tell_of_the_fourth():
    """One step to a stop, and a ride; then twice a ride back, two steps to the next stop, and a ride."""
    assert length(scoutrl.make("bus")) == exact(2 + 2 * 4)


@pytest.mark.slow
def test_two_drawers_tell_where_all_is():
    """One step to the middle drawer, pick up, one step on, pick up: what is in neither of the two is in the third.

    The one test problem of `cooking` leaves nothing to find out.
    """
    found = exploration_length(scoutrl.make("cooking"))
    assert found == {"train": exact(4), "test": exact(0)}
    assert exploration_length(scoutrl.make("cooking-split")) == {"train": exact(4), "test": exact(4)}


@pytest.mark.slow
@pytest.mark.long
def test_useless_buses_tell_of_useful_ones_where_few_problems_are_left():
    """Unseen problems take as long as `bus`. Some of the 48 training problems are known by fewer steps."""
    found = exploration_length(scoutrl.make("distracting-bus"))
    assert found == {"train": exact(Fraction(402, 48)), "test": exact(10)}


@pytest.mark.parametrize(("seed", "begins"), [(3, 1), (6, 1), (12, 1), (0, 2), (5, 2)])
def test_against_recursion(seed, begins):
    env = scrambled(seed, begins)
    found = length(env)
    assert (found.kind, found.steps) == Recursion(env).answer()


@pytest.mark.parametrize("most", [0, 10, 40, 100])
def test_a_search_that_ends_early_tells_what_it_knows(most, monkeypatch):
    monkeypatch.setattr(search, "MOST", most)
    found = length(wings())
    assert found.steps is None or found.steps >= 2.5
    assert found.kind == "exact" or "the search ended at its limit" in str(found.reason)


class Recursion:
    """All policies, history by history. A belief is {hypothesis: place}, a hypothesis (problem, first place)."""

    def __init__(self, env: Puzzle):
        self.env = env

    def parts(self, places, action):
        """What an action may be answered: [reward, places after]."""
        answers = defaultdict(dict)
        for h, place in places.items():
            after = int(self.env.leads[h[0], place, action])
            answers[int(self.env.pays[h[0], place, action]), int(self.env.shows[h[0], after])][h] = after
        return [(pay, after) for (pay, _), after in answers.items()]

    def first(self, problems):
        seen = defaultdict(dict)
        for problem in problems:
            for place in range(self.env.begins):
                seen[int(self.env.shows[problem, place])][problem, place] = place
        return list(seen.values())

    def earned(self, places, left):
        """The most that can be earned in all hypotheses together, if they are equally likely."""
        if not left:
            return 0
        return max(
            sum(pay * len(after) + self.earned(after, left - 1) for pay, after in self.parts(places, action))
            for action in range(3)
        )

    def suffices(self, problems):
        known = sum(self.earned(places, 3) for places in self.first(problems))
        return known == sum(self.earned({h: h[1]}, 3) for places in self.first(problems) for h in places)

    def steps(self, places, left):
        """The least steps in all hypotheses together."""
        if self.suffices({problem for problem, _ in places}):
            return 0
        if not left:
            return float("inf")
        choices = ([after for _, after in self.parts(places, action)] for action in range(3))
        return len(places) + min(sum(self.steps(after, left - 1) for after in choice) for choice in choices)

    def answer(self):
        if not all(self.suffices({problem}) for problem in range(4)):
            return "unknown", None  # the optimum knows the start, which is not shown
        steps = sum(self.steps(places, 3) for places in self.first(range(4)))
        return "exact", round(steps / (4 * self.env.begins), 6)
