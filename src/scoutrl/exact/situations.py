"""What may be true at some time of an episode, hypothesis by hypothesis, and what every action leads to and shows."""

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Int

from scoutrl.envs.base import State
from scoutrl.envs.enumerable import EnumerableEnv
from scoutrl.exact.reachable import act, distinct, flat, take

ENDED = -1
"""Stands for the next situation where there is none: the episode ended."""


class Situations(eqx.Module):
    """Situations that are possible at some time of an episode, in the order of their hypotheses.

    A situation is a hypothesis (a problem and a start of it) and a state that the actions so far lead to if it is true.
    """

    hypothesis: Int[np.ndarray, " situations"]
    state: State
    """[situations, …]"""
    varies: Bool[np.ndarray, " columns"]
    """The numbers of a state that some step so far has changed: all others follow from the hypothesis."""

    @staticmethod
    def first(states: State) -> "Situations":
        """The situations at the start, one for each hypothesis: states [hypotheses, …]."""
        columns = flat(states)
        return Situations(np.arange(len(columns[0])), states, np.zeros(len(columns), bool))

    def only(self, which: Int[np.ndarray, " fewer"]) -> "Situations":
        """Some of them."""
        return Situations(self.hypothesis[which], take(self.state, which), self.varies)


class Steps(eqx.Module):
    """What each action leads to in each situation of one time."""

    children: Int[np.ndarray, "situations actions"]
    """Which of the next situations; `ENDED` if there is none."""
    answers: Int[np.ndarray, "situations actions"]
    """What is observed (observation, reward, end of the episode), as numbers that are equal where all of that is."""
    allowed: Bool[np.ndarray, "situations actions"]
    """Which actions may be taken; the others have no meaning above."""

    def different(self) -> list[int]:
        """The actions but for those that do the same as one before in every situation."""
        table = np.concatenate([self.children, self.answers, self.allowed]).T
        return list({column.tobytes(): action for action, column in reversed(list(enumerate(table)))}.values())


def step_all(
    env: EnumerableEnv, now: Situations, last: bool, allowed: Bool[np.ndarray, "situations actions"] | None = None
) -> tuple[Steps, Situations]:
    """Take every allowed action in every situation.

    Args:
        env: the family.
        now: the situations.
        last: the step is the last one within the horizon: it ends the episode.
        allowed: the actions that may be taken; None: all.

    Returns:
        What they lead to, and the situations after.
    """
    actions = int(env.spaces.action.n)  # pyright: ignore[reportAttributeAccessIssue]
    allowed = np.ones((len(now.hypothesis), actions), bool) if allowed is None else allowed
    before, action = np.nonzero(allowed)
    after, observation, reward, ended = act(env, take(now.state, before), action)
    ended = ended | last
    varies = now.varies.copy()
    columns = flat(after)
    for j, column in enumerate(flat(now.state)):
        varies[j] = varies[j] or (columns[j] != column[before]).any()
    going = np.flatnonzero(~ended)
    first, place = distinct([now.hypothesis[before[going]], *(columns[j][going] for j in np.flatnonzero(varies))])
    children = np.full(allowed.shape, ENDED, np.int32)
    children[before[going], action[going]] = place
    answers = np.zeros(allowed.shape, np.int32)
    answers[before, action] = distinct(flat((observation, reward, ended)))[1]
    after = Situations(now.hypothesis[before[going[first]]], take(after, going[first]), varies)
    return Steps(children, answers, allowed), after
