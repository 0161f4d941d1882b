"""Exact posterior sampling: against numbers worked out by hand, and against recursion over fractions."""

from collections import defaultdict
from fractions import Fraction

import pytest
from probes.puzzles import Puzzle, scrambled, two_arms

import scoutrl
from scoutrl.exact.bounds import bounds


@pytest.mark.slow
def test_two_arms():
    """Half of the draws try the second arm, which tells; after the first arm it is a draw again.

    Told the problem, 7/8 can be earned. Untold, half of the draws earn 3/4 and half of them 1/2: 5/8. Thompson: half
    of each.
    """
    found = bounds(two_arms())
    assert found["optimum"]["test"] == 7 / 8
    assert found["no_exploration"]["test"] == 5 / 8
    assert found["thompson"]["test"] == found["thompson_one_draw"]["test"] == 3 / 4


@pytest.mark.parametrize("size", [2, 5])
def test_levers(size):
    """Two of the draws tell: the true lever, and the one that shows it. Any other rules out one lever of all."""
    told = (2 * size - 1) / size**2
    found = bounds(scoutrl.make("lever", size=size))
    assert found["thompson"]["test"] == pytest.approx(told + (1 - told) / (size - 1), abs=1e-6)
    assert found["no_exploration"]["test"] == pytest.approx(1 / size, abs=1e-6)


@pytest.mark.slow
def test_one_ride_of_a_bus():
    """A draw is refuted, or not, by where the first bus goes. Then one corner of four is known to be reached with 0.8.

    For the other corners one bus of three is right: 0.8 at the first, 0.4 at the second, 0 at the third trial. Knowing
    nothing, one of four is: 0.8, 0.4, 0 and -0.4.
    """
    found = bounds(scoutrl.make("bus"))
    assert found["thompson_one_draw"]["test"] == pytest.approx((0.8 + 3 * 0.4) / 4, abs=1e-6)
    assert found["no_exploration"]["test"] == pytest.approx(0.2, abs=1e-6)
    assert 0.5 < found["thompson"]["test"] < 0.8


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_against_recursion(seed):
    env = scrambled(seed)
    found, sums = bounds(env), Recursion(env)
    for name, again in [("thompson", True), ("thompson_one_draw", False)]:
        beliefs = sums.explored(again)
        assert sum(beliefs.values()) == 1
        expected = sum(weight * sums.exploited(dict(belief)) for belief, weight in beliefs.items())
        assert found[name]["test"] == pytest.approx(float(expected), abs=1e-6)
    prior = dict.fromkeys(range(4), Fraction(1, 4))
    assert found["no_exploration"]["test"] == pytest.approx(float(sums.exploited(prior)), abs=1e-6)


class Recursion:
    """Posterior sampling, draw by draw and truth by truth. A hypothesis is (problem, first place)."""

    def __init__(self, env: Puzzle):
        self.env = env

    def value(self, problem, place, left):
        return max(self.worth(problem, place, left)) if left else 0

    def worth(self, problem, place, left):
        pays, leads = self.env.pays[problem, place], self.env.leads[problem, place]
        return [int(pay) + self.value(problem, after, left - 1) for pay, after in zip(pays, leads, strict=True)]

    def begin(self, belief):
        """What may be seen first, as {hypothesis: place} and {hypothesis: probability}."""
        seen = defaultdict(dict)
        for problem, weight in belief.items():
            for place in (0, 1):
                seen[self.env.shows[problem, place]][problem, place] = weight / 2
        return [({h: h[1] for h in chances}, chances) for chances in seen.values()]

    def answers(self, places, chances, draw, left):
        """The action of a draw, and for each answer that it may get: reward, places, chances of the hypotheses left."""
        worth = self.worth(draw[0], places[draw], left)
        action, answers = worth.index(max(worth)), defaultdict(dict)
        for h, place in places.items():
            after = self.env.leads[h[0], place, action]
            answers[self.env.shows[h[0], after], int(self.env.pays[h[0], place, action])][h] = after
        return [(pay, after, {h: chances[h] for h in after}) for (_, pay), after in answers.items()]

    def explored(self, again):
        found = defaultdict(Fraction)

        def go(places, chances, draw, left, weight):
            """`weight` is the probability of the draws; `chances` are those of the truths with all that was seen."""
            total = sum(chances.values())
            if left == 0 or (draw is None and not again and left < 3):
                belief = defaultdict(Fraction)
                for h, chance in chances.items():
                    belief[h[0]] += chance / total
                found[tuple(sorted(belief.items()))] += weight * total
                return
            for d, p in [(draw, Fraction(1))] if draw else [(h, chance / total) for h, chance in chances.items()]:
                for _, after, truths in self.answers(places, chances, d, left):
                    go(after, truths, d if d in after else None, left - 1, weight * p)

        for places, chances in self.begin(dict.fromkeys(range(4), Fraction(1, 4))):
            go(places, chances, None, 3, Fraction(1))
        return found

    def exploited(self, belief):
        def go(places, chances, draw, left):
            total, earned = sum(chances.values()), Fraction(0)
            if left == 0:
                return earned
            for d, p in [(draw, Fraction(1))] if draw else [(h, chance / total) for h, chance in chances.items()]:
                for pay, after, truths in self.answers(places, chances, d, left):
                    later = go(after, truths, d if d in after else None, left - 1)
                    earned += p * (pay * sum(truths.values()) + later)
            return earned

        return sum(go(places, chances, None, 3) for places, chances in self.begin(belief))
