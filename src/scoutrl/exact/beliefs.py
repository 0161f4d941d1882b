"""Beliefs, and what every action makes of them: the common part of exploring and exploiting with limited knowledge.

A belief is a set of situations, all that the observations so far leave possible, at most one of each hypothesis.
Steps are deterministic, so an action parts a belief into one for each answer that it may get.
"""

from collections.abc import Callable, Iterator

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Int, UInt64

from scoutrl.exact.situations import ENDED, Steps

_BLOCK = 2**20
"""Situations looked at at once, unless one belief has more."""


class Beliefs(eqx.Module):
    """Some beliefs of the same time."""

    rows: Int[np.ndarray, " rows"]
    """The situations, belief by belief, in ascending order within each."""
    first: Int[np.ndarray, " beliefs_and_1"]
    """Where each belief begins; then the number of rows."""

    @property
    def sizes(self) -> Int[np.ndarray, " beliefs"]:
        """The number of situations in each."""
        return np.diff(self.first)

    def only(self, which: Int[np.ndarray, " fewer"]) -> "Beliefs":
        """Some of them, in ascending order."""
        chosen = np.zeros(len(self.first) - 1, bool)
        chosen[which] = True
        sizes = self.sizes
        return Beliefs(self.rows[np.repeat(chosen, sizes)], np.append(0, np.cumsum(sizes[chosen])))

    def blocks(self) -> Iterator[tuple[int, "Beliefs"]]:
        """All of them, some at a time, with the number of the first."""
        begin, count = 0, len(self.first) - 1
        while begin < count:
            end = int(np.searchsorted(self.first, self.first[begin] + _BLOCK, side="right")) - 1
            end = min(max(end, begin + 1), count)
            low, high = self.first[begin], self.first[end]
            yield begin, Beliefs(self.rows[low:high], self.first[begin : end + 1] - low)
            begin = end


class Branches(eqx.Module):
    """What one action can lead to: a branch for each belief and each answer that it may get."""

    belief: Int[np.ndarray, " branches"]
    """The belief before."""
    after: Beliefs
    """The situations *before* the step, branch by branch."""
    parted: Bool[np.ndarray, " branches"]
    """The belief has more branches than this one."""
    ended: Bool[np.ndarray, " branches"]
    """The episode is over."""


Judge = Callable[[Branches], Bool[np.ndarray, " branches"]]
"""Which branches reached what is wanted. Of the others, those whose episode is over never will."""


class Choices(eqx.Module):
    """The actions by which all that is wanted may still be reached, of all beliefs of one time."""

    belief: Int[np.ndarray, " choices"]
    """Whose choice it is."""
    choice: Int[np.ndarray, " branches"]
    """Which choice can lead to it; branches that reached what is wanted are left out."""
    child: Int[np.ndarray, " branches"]
    """Where it leads: one of the next beliefs."""


def expand(beliefs: Beliefs, steps: Steps, judge: Judge) -> tuple[Choices, Beliefs]:
    """Take every action in every belief.

    Returns:
        The choices there are, and the beliefs in which the search goes on: equal ones once.
    """
    # The sum of one random number for each situation stands for a set of them. That any two of a million sets get the
    # same sum has a probability of 3e-8.
    marks = random_marks(int(steps.children.max(initial=0)) + 1)
    found, belief, choice, child, count = _Found(), [], [], [], 0
    different = steps.different()
    for begin, block in beliefs.blocks():
        for action in different:
            branches = _part(block, steps, action)
            done = judge(branches)
            usable = np.logical_and.reduceat(steps.allowed[block.rows, action], block.first[:-1])
            usable[branches.belief[branches.ended & ~done]] = False
            number = np.cumsum(usable) - 1 + count
            going = np.flatnonzero(usable[branches.belief] & ~done & ~branches.ended)
            after = branches.after.only(going)
            after = Beliefs(steps.children[after.rows, action], after.first)
            belief.append(np.flatnonzero(usable) + begin)
            choice.append(number[branches.belief[going]])
            child.append(found.places(after, marks))
            count += int(usable.sum())
    return Choices(*(np.concatenate(parts) for parts in (belief, choice, child))), found.beliefs()


def random_marks(count: int) -> UInt64[np.ndarray, " count"]:
    """Random numbers, always the same ones."""
    return np.random.default_rng(0).integers(2**64, size=count, dtype=np.uint64)


def _part(beliefs: Beliefs, steps: Steps, action: int) -> Branches:
    """The branches of one action."""
    sizes = beliefs.sizes
    owner = np.repeat(np.arange(len(sizes)), sizes)
    answer = steps.answers[beliefs.rows, action]
    parted = ~np.logical_and.reduceat(answer == answer[beliefs.first[:-1]][owner], beliefs.first[:-1])
    order = np.arange(len(owner))
    # Stable, so that situations stay in ascending order.
    mixed = np.flatnonzero(parted[owner])
    order[mixed] = mixed[np.argsort(owner[mixed] * (int(answer.max()) + 1) + answer[mixed], kind="stable")]
    rows, answer = beliefs.rows[order], answer[order]
    begins = np.append(True, (owner[1:] != owner[:-1]) | (answer[1:] != answer[:-1]))
    first = np.flatnonzero(begins)
    ended = steps.children[rows[first], action] == ENDED
    return Branches(owner[first], Beliefs(rows, np.append(first, len(rows))), parted[owner[first]], ended)


class _Found:
    """The beliefs found so far, equal ones once."""

    def __init__(self):
        self._known: dict[int, int] = {}
        self._rows = [np.zeros(0, np.int32)]
        self._sizes = [np.zeros(0, np.int64)]

    def places(self, beliefs: Beliefs, marks: UInt64[np.ndarray, " situations"]) -> Int[np.ndarray, " beliefs"]:
        """Which of the found ones each is; those that are new are added."""
        if len(beliefs.first) == 1:
            return np.zeros(0, np.int64)
        sums, first, which = np.unique(
            np.add.reduceat(marks[beliefs.rows], beliefs.first[:-1]), return_index=True, return_inverse=True
        )
        seen = np.argsort(first)
        known = len(self._known)
        numbers = np.array([self._known.setdefault(mark, len(self._known)) for mark in sums[seen].tolist()])
        new = beliefs.only(first[seen][numbers >= known])
        self._rows.append(new.rows)
        self._sizes.append(new.sizes)
        return numbers[np.argsort(seen)][which]

    def beliefs(self) -> Beliefs:
        """All of them."""
        return Beliefs(np.concatenate(self._rows), np.append(0, np.cumsum(np.concatenate(self._sizes))))
