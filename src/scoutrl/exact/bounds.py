"""What can be earned in a family, exactly: the mean undiscounted return of one exploitation episode.

Backward induction over the states that can be reached, layer by layer of time. Nothing is learnt and nothing sampled.
"""

import jax
import numpy as np
from jaxtyping import Float

from scoutrl.envs import Spec
from scoutrl.envs.analytic import AnalyticEnv
from scoutrl.envs.check import check_own
from scoutrl.envs.check_enumerable import check_enumerable
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.envs.problems import SPLITS
from scoutrl.errors import ScoutError
from scoutrl.exact.reachable import flat, layers
from scoutrl.exact.solved import Policy, Solved, all_starts, best, solve
from scoutrl.exact.thompson import Thompson

Bounds = dict[str, dict[str, float]]
"""Name of a bound -> its mean over the problems of each split, "train", "validation" and "test"."""


def bounds(env: Spec) -> Bounds:
    """Compute the bounds of a family.

    Returns:
        `optimum`: the best policy that is told the problem. `random`: every action with equal probability. One bound
        for each of the family's own `restrictions`: the best policy that is told the problem and keeps to those
        actions. In families of horizon 1 also `no_information`: the best policy that knows only which problems the
        split has. Then exact posterior sampling (see `thompson.py`), by which at first all problems of the split are
        equally likely: `thompson` after one exploration episode, `thompson_one_draw` after one that ends where its
        first draw is refuted, `no_exploration` after none. An `AnalyticEnv` says its own.

    Raises:
        ScoutError: the family is neither an `EnumerableEnv` nor an `AnalyticEnv`, or breaks a promise.
    """
    if isinstance(env, AnalyticEnv):
        return _own(env)
    env = _enumerable(env)
    policies: dict[str, Policy] = {"optimum": _any_action(env), "random": _mean}
    policies |= {name: best(mask) for name, mask in env.restrictions().items()}
    solved = solve(env, list(policies.values()))
    known: dict[bytes, dict[str, float]] = {}
    for split in SPLITS:
        rows = env.problems.rows(split)
        if rows.tobytes() not in known:
            known[rows.tobytes()] = _of_split(env, solved, list(policies), rows)
    splits = {split: known[env.problems.rows(split).tobytes()] for split in SPLITS}
    return {name: {split: round(found[name], 6) for split, found in splits.items()} for name in splits["train"]}


def optimum(env: Spec) -> dict[str, float]:
    """The bound `optimum` alone, by split, which takes a part of the time.

    Raises:
        ScoutError: as of `bounds`.
    """
    if isinstance(env, AnalyticEnv):
        return _own(env)["optimum"]
    env = _enumerable(env)
    (values,) = solve(env, [_any_action(env)]).values
    return {split: round(float(values[env.problems.rows(split)].mean()), 6) for split in SPLITS}


def has_bounds(env: Spec) -> bool:
    """Whether the family is of a kind whose bounds can be computed."""
    return isinstance(env, AnalyticEnv | EnumerableEnv)


def _own(env: AnalyticEnv) -> Bounds:
    """The bounds that a family says itself."""
    check_own(env)
    splits = {split: env.own_bounds(env.problems.of(split)) for split in SPLITS}
    if any("optimum" not in found for found in splits.values()):
        raise ScoutError(f"{type(env).__name__}.own_bounds must have `optimum` among its bounds.")
    return {name: {split: round(found[name], 6) for split, found in splits.items()} for name in splits["train"]}


def _enumerable(env: Spec) -> EnumerableEnv:
    """The family, if it can be solved and keeps its promises."""
    if not isinstance(env, EnumerableEnv):
        raise ScoutError(
            f"{env.title} has no exact bounds: its states cannot be listed. "
            "Derive it from scoutrl.envs.enumerable.EnumerableEnv if they can; if the family knows its bounds, from "
            "scoutrl.envs.analytic.AnalyticEnv."
        )
    check_own(env)
    check_enumerable(env)
    return env


def _any_action(env: EnumerableEnv) -> Policy:
    return best(np.ones(int(env.spaces.action.n), bool))  # pyright: ignore[reportAttributeAccessIssue]


def _mean(values: Float[np.ndarray, "states actions"]) -> Float[np.ndarray, " states"]:
    return values.mean(axis=1)


def _of_split(env: EnumerableEnv, solved: Solved, policies: list[str], rows: np.ndarray) -> dict[str, float]:
    """The bounds on the problems of one split, by name."""
    found = dict(zip(policies, solved.values[:, rows].mean(axis=1).tolist(), strict=True))
    starts = all_starts(env, env.problems.ids[rows])
    if env.horizon == 1:
        found["no_information"] = _uninformed(env, starts)
    sampler = Thompson(env, starts, solved.places[rows], solved.plan)
    prior = np.full((1, len(rows)), 1 / len(rows))
    found["thompson"] = sampler.exploited(sampler.explored(prior, again=True))
    found["thompson_one_draw"] = sampler.exploited(sampler.explored(prior, again=False))
    found["no_exploration"] = sampler.exploited(prior)
    return found


def _uninformed(env: EnumerableEnv, starts: Starts) -> float:
    """Horizon 1: the action best on average over the problems, for each first observation and goal."""
    (layer,) = layers(env, starts.states)
    seen = flat((starts.observations, jax.vmap(env.goal)(starts.states)))
    _, situation = np.unique(np.stack(seen, axis=1), axis=0, return_inverse=True)
    likely = np.asarray(starts.probabilities, np.float64)
    worth: Float[np.ndarray, "situations actions"] = np.zeros((situation.max() + 1, layer.rewards.shape[1]))
    np.add.at(worth, situation.reshape(-1), likely[:, None] * layer.rewards)
    return float(worth.max(axis=1).sum() / likely.sum())
