"""The shortest exploration that suffices: the least expected number of steps after which `optimum` can be earned."""

import math

import numpy as np
from jaxtyping import Int

from scoutrl.envs import Spec
from scoutrl.envs.check import check_own
from scoutrl.envs.check_enumerable import check_enumerable
from scoutrl.envs.enumerable import EnumerableEnv
from scoutrl.exact.length import ExplorationLength
from scoutrl.exact.reachable import take
from scoutrl.exact.search import Search
from scoutrl.exact.solved import Solved, all_starts, solve
from scoutrl.exact.sufficient import Sufficiency


def exploration_length(env: Spec) -> dict[str, ExplorationLength]:
    """Compute the least expected number of exploration steps after which `optimum` can be earned.

    Steps count from the start of one exploration episode, up to and including the one whose answer makes what is known
    sufficient (see `sufficient.py`). The agent knows which problems the split has, all of them equally likely; it
    observes everything but the goal, and may choose each action by what it has observed.

    Returns:
        The result for each split, "train" and "test"; it is unknown for families that are no `EnumerableEnv`.

    Raises:
        ScoutError: the family breaks a promise.
    """
    if not isinstance(env, EnumerableEnv):
        unknown = ExplorationLength("unknown", None, f"the states of {env.title} cannot be listed")
        return {"train": unknown, "test": unknown}
    check_own(env)
    check_enumerable(env)
    solved = solve(env, [])
    train = _of_split(env, solved, env.problems.train)
    alike = np.array_equal(env.problems.train, env.problems.test)
    return {"train": train, "test": train if alike else _of_split(env, solved, env.problems.test)}


def _of_split(env: EnumerableEnv, solved: Solved, rows: Int[np.ndarray, " problems"]) -> ExplorationLength:
    starts = all_starts(env, env.problems.ids[rows])
    likely = np.asarray(starts.probabilities, np.float64)
    possible = np.flatnonzero(likely > 0)
    starts, likely = take(starts, possible), likely[possible] / likely.sum()
    problem = np.repeat(np.arange(len(rows)), solved.places.shape[1])[possible]
    sufficient = Sufficiency(env, starts, problem, solved.places[rows].reshape(-1)[possible], solved.plan)
    if not sufficient(np.arange(len(rows)), np.arange(len(rows))).all():
        reason = "how an episode starts matters and is not shown, but `optimum` knows it"
        return ExplorationLength("unknown", None, reason)
    found = Search(env, starts, problem, likely, sufficient).run()
    if found.is_exact:
        if found.upper < math.inf:
            return ExplorationLength("exact", round(found.upper, 6))
        return ExplorationLength("never", None, "no exploration episode can tell the problems apart far enough")
    reason = f"the search ended at its limit, {found.depth} steps deep; less than {found.lower:.2f} is impossible"
    if found.upper < math.inf:
        return ExplorationLength("at most", round(found.upper, 6), reason)
    return ExplorationLength("unknown", None, reason)
