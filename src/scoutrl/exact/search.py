"""The search for the shortest exploration that suffices: over beliefs, one step deeper at a time.

By backward induction from the deepest beliefs follow the expected steps of the best plan that ends within the depth,
and a lower bound on every plan, by which one who does not know enough at that depth needs one more step. Where the two
meet the answer is exact. Beliefs that no plan better than the best so far can pass through are not followed.
"""

from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.exact.beliefs import Beliefs, Branches, Choices, expand, random_marks
from scoutrl.exact.reachable import distinct, flat
from scoutrl.exact.situations import Situations, step_all
from scoutrl.exact.sufficient import Sufficiency

MOST, MOST_AT_ONCE = 2 * 10**7, 2 * 10**6
"""The search ends before the situations of all beliefs followed are more than the one, or the environment steps at one
depth more than the other."""
_TIE = 1e-9


class Found(NamedTuple):
    """What a search found out."""

    lower: float
    """Every exploration that suffices takes that many expected steps or more; infinite if there is none."""
    upper: float
    """The expected steps of the shortest found; infinite if none was."""
    depth: int
    """How many steps deep the search went."""

    @property
    def is_exact(self) -> bool:
        """Whether none is shorter than the one found."""
        return self.lower >= self.upper - _TIE


class _Layer(eqx.Module):
    """The beliefs of one time, and what can be done in them."""

    weights: Float[np.ndarray, " beliefs"]
    """The probability that the truth is among the hypotheses of each."""
    choices: Choices


class Search:
    """The search among some problems of a family."""

    def __init__(
        self,
        env: EnumerableEnv,
        starts: Starts,
        problem: Int[np.ndarray, " starts"],
        likely: Float[np.ndarray, " starts"],
        sufficient: Sufficiency,
    ):
        """Prepare the search.

        Args:
            env: the family.
            starts: the hypotheses: possible starts of the problems, one after the other, every field [starts, …].
            problem: which problem each belongs to, ascending from 0.
            likely: the probability of each; they add up to 1.
            sufficient: the test for the same problems.
        """
        self._env, self._problem, self._likely, self._sufficient = env, problem, likely, sufficient
        self._observations = flat(starts.observations)
        self._now = Situations.first(starts.states)
        self._marks = random_marks(int(problem.max()) + 1)
        self._tested: dict[int, bool] = {}
        """The sum of the marks of a set of problems -> whether it is sufficient."""

    def run(self) -> Found:
        """Search until the answer is certain, or the limit is reached."""
        actions = int(self._env.spaces.action.n)  # pyright: ignore[reportAttributeAccessIssue]
        layers: list[_Layer] = []
        beliefs, looked = self._first(), 0
        kept, weights = np.arange(len(beliefs.sizes)), self._weights(beliefs)
        lower, upper = weights.sum(), np.inf
        if not len(kept):
            return Found(0.0, 0.0, 0)
        for time in range(self._env.horizon):
            beliefs = beliefs.only(kept)
            looked += len(beliefs.rows)
            used, rows = np.unique(beliefs.rows, return_inverse=True)
            if looked > MOST or len(used) * actions > MOST_AT_ONCE:
                return Found(lower, upper, time)
            self._now, beliefs = self._now.only(used), Beliefs(rows.astype(np.int32), beliefs.first)
            choices, beliefs = self._deeper(beliefs, last=time == self._env.horizon - 1)
            layers.append(_Layer(weights, Choices(kept[choices.belief], choices.choice, choices.child)))
            weights = self._weights(beliefs)
            upper = min(upper, _costs(layers, np.full(len(weights), np.inf))[0].sum())
            least = _costs(layers, weights)
            lower = least[0].sum()
            if lower >= upper - _TIE:
                return Found(lower, upper, time + 1)
            kept = _worthwhile(layers, least, upper)
        raise AssertionError("nobody goes on after the horizon, so that both bounds are the same there")

    def _first(self) -> Beliefs:
        """The beliefs after the first observation that do not suffice."""
        seen = distinct([np.zeros(len(self._problem), np.int64), *self._observations])[1]
        order = np.argsort(seen, kind="stable")
        first = np.flatnonzero(np.append(True, np.diff(seen[order]) > 0))
        beliefs = Beliefs(order.astype(np.int32), np.append(first, len(order)))
        return beliefs.only(np.flatnonzero(~self._suffice(beliefs)))

    def _deeper(self, beliefs: Beliefs, last: bool) -> tuple[Choices, Beliefs]:
        """One step more."""
        steps, after = step_all(self._env, self._now, last)

        def suffices(branches: Branches) -> Bool[np.ndarray, " branches"]:
            # A belief that was not parted is of the same problems as before.
            done, parted = branches.parted.copy(), np.flatnonzero(branches.parted)
            done[parted] = self._suffice(branches.after.only(parted))
            return done

        found = expand(beliefs, steps, suffices)
        self._now = after
        return found

    def _suffice(self, beliefs: Beliefs) -> Bool[np.ndarray, " beliefs"]:
        """Whether the set of problems of each belief, about situations of the present, is sufficient."""
        if not len(beliefs.sizes):
            return np.zeros(0, bool)
        problem = self._problem[self._now.hypothesis[beliefs.rows]]
        repeats = np.append(False, problem[1:] == problem[:-1])
        repeats[beliefs.first[:-1]] = False
        keys = np.add.reduceat(np.where(repeats, 0, self._marks[problem]), beliefs.first[:-1])
        distinct_keys, at = np.unique(keys, return_index=True)
        new = np.sort(
            [i for key, i in zip(distinct_keys.tolist(), at.tolist(), strict=True) if key not in self._tested]
        )
        if len(new):
            place = np.full(len(keys), -1)
            place[new] = np.arange(len(new))
            which = np.repeat(place, beliefs.sizes)
            members = (which >= 0) & ~repeats
            answers = self._sufficient(which[members], problem[members])
            self._tested.update(zip(keys[new].tolist(), answers.tolist(), strict=True))
        return np.array([self._tested[key] for key in keys.tolist()])

    def _weights(self, beliefs: Beliefs) -> Float[np.ndarray, " beliefs"]:
        owner = np.repeat(np.arange(len(beliefs.sizes)), beliefs.sizes)
        return np.bincount(owner, self._likely[self._now.hypothesis[beliefs.rows]], minlength=len(beliefs.sizes))


def _prices(layer: _Layer, after: Float[np.ndarray, " children"]) -> Float[np.ndarray, " choices"]:
    """The steps that each choice costs, times the probability of its belief: one now, and those that come after."""
    choices = layer.choices
    later = np.bincount(choices.choice, after[choices.child], minlength=len(choices.belief))
    return layer.weights[choices.belief] + later


def _costs(layers: list[_Layer], deepest: np.ndarray) -> list[np.ndarray]:
    """The steps that each belief of each time costs at the least, times its probability; infinite if none suffice.

    Args:
        layers: what can be done.
        deepest: the same for the beliefs after the last of the layers.
    """
    found = [deepest]
    for layer in reversed(layers):
        cost = np.full(len(layer.weights), np.inf)
        np.minimum.at(cost, layer.choices.belief, _prices(layer, found[-1]))
        found.append(cost)
    return found[::-1]


def _worthwhile(layers: list[_Layer], least: list[np.ndarray], upper: float) -> Int[np.ndarray, " kept"]:
    """The deepest beliefs that a plan better than `upper` may pass through.

    Whoever takes another choice than the cheapest pays the difference, and may pay as much as `upper` leaves.
    """
    room = np.full(len(least[0]), upper - least[0].sum())
    for layer, cost, after in zip(layers, least[:-1], least[1:], strict=True):
        choices = layer.choices
        price = _prices(layer, after)
        with np.errstate(invalid="ignore"):  # infinite prices of beliefs that have none but those
            left = np.where(price < np.inf, room[choices.belief] - (price - cost[choices.belief]), -np.inf)
        room = np.full(len(after), -np.inf)
        np.maximum.at(room, choices.child, left[choices.choice])
    return np.flatnonzero(room > _TIE)
