"""Which sets of problems need not be told apart any further, because one policy is optimal in all of them.

Told the problem, one can earn `optimum`. One who knows only a set of problems earns it in each of them exactly if there
is a policy of what is observed (goal, observations, rewards) whose every action is optimal in all problems that are
still possible when it is taken. Such policies are searched for exhaustively, from all starts at once.
"""

import jax
import numpy as np
from jaxtyping import Bool, Int

from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.exact.beliefs import Beliefs, Branches, Choices, expand
from scoutrl.exact.optimal_policy import Plan
from scoutrl.exact.reachable import distinct, flat
from scoutrl.exact.situations import Situations, Steps, step_all


class Sufficiency:
    """The test for some problems of a family."""

    def __init__(
        self, env: EnumerableEnv, starts: Starts, problem: Int[np.ndarray, " starts"], places: np.ndarray, plan: Plan
    ):
        """Prepare the test.

        Args:
            env: the family.
            starts: the starts that are possible, one after the other: every field [starts, …].
            problem: which problem each belongs to, ascending from 0.
            places: where the plan for each begins, [starts].
            plan: the optimum's plan.
        """
        shown = flat((starts.observations, jax.vmap(env.goal)(starts.states)))
        self._count = np.bincount(problem)
        self._begin = np.cumsum(self._count) - self._count
        self._shown = distinct([np.zeros(len(problem), np.int64), *shown])[1]
        self._steps = _optimal_steps(env, Situations.first(starts.states), places, plan)

    def __call__(
        self, which: Int[np.ndarray, " members"], problem: Int[np.ndarray, " members"]
    ) -> Bool[np.ndarray, " sets"]:
        """Whether sets of problems are sufficient.

        Args:
            which: the number of a set, ascending from 0 with none left out.
            problem: a problem in it, each once.
        """
        count = self._count[problem]
        member = np.repeat(np.arange(len(which)), count)
        start = self._begin[problem[member]] + np.arange(len(member)) - np.repeat(np.cumsum(count) - count, count)
        # A belief for each set and each thing that is shown at the start of an episode.
        key = which[member] * (int(self._shown.max()) + 1) + self._shown[start]
        order = np.lexsort((start, key))
        first = np.flatnonzero(np.append(True, np.diff(key[order]) > 0))
        solved = self._solved(Beliefs(start[order].astype(np.int32), np.append(first, len(order))))
        failed = np.bincount(which[member][order][first], ~solved)
        return failed == 0

    def _solved(self, beliefs: Beliefs) -> Bool[np.ndarray, " beliefs"]:
        """For which beliefs at the start of an episode there is such a policy."""
        layers: list[tuple[int, Choices]] = []
        for steps in self._steps:
            layers.append((len(beliefs.sizes), (found := expand(beliefs, steps, _clear))[0]))
            beliefs = found[1]
            if not len(beliefs.sizes):
                break
        solved = np.zeros(0, bool)
        for count, choices in reversed(layers):
            open_ = np.bincount(choices.choice, weights=~solved[choices.child], minlength=len(choices.belief))
            solved = np.zeros(count, bool)
            solved[choices.belief[open_ == 0]] = True
        return solved


def _clear(branches: Branches) -> Bool[np.ndarray, " branches"]:
    """Whether nothing can go wrong any more: the episode is over, or one situation only is possible."""
    return branches.ended | (branches.after.sizes == 1)


def _optimal_steps(env: EnumerableEnv, now: Situations, place: np.ndarray, plan: Plan) -> list[Steps]:
    """The steps of optimal actions, at each time of an episode."""
    found = []
    for time in range(env.horizon):
        best = plan.best[time][place]
        steps, after = step_all(env, now, time == env.horizon - 1, best)
        found.append(steps)
        if not len(after.hypothesis):
            break
        # Any way to a situation leads to its place in the plan, or to one of the same value.
        place_after = np.zeros(len(after.hypothesis), np.int64)
        going = steps.allowed & (steps.children >= 0)
        place_after[steps.children[going]] = plan.children[time][place][going]
        now, place = after, place_after
    return found
