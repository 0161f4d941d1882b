"""What can be earned in a family, exactly: the mean undiscounted return of one exploitation episode.

Backward induction over the states that can be reached, layer by layer of time. Nothing is learnt and nothing sampled.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl.envs.base import MetaEnv
from scoutrl.envs.check import check_own
from scoutrl.envs.check_enumerable import check_enumerable
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.envs.problems import SPLITS
from scoutrl.errors import ScoutError
from scoutrl.exact.optimal_policy import Plan, joined, plan
from scoutrl.exact.reachable import Layer, flat, layers
from scoutrl.exact.thompson import Thompson

Bounds = dict[str, dict[str, float]]
"""Name of a bound -> its mean over the problems of each split, "train", "validation" and "test"."""

_GROUP = 32
"""Problems solved at once: enough to keep the processor busy, few enough for its cache."""


def bounds(env: MetaEnv) -> Bounds:
    """Compute the bounds of a family.

    Returns:
        `optimum`: the best policy that is told the problem. `random`: every action with equal probability. One bound
        for each of the family's own `restrictions`: the best policy that is told the problem and keeps to those
        actions. In families of horizon 1 also `no_information`: the best policy that knows only which problems the
        split has. Then exact posterior sampling (see `thompson.py`), by which at first all problems of the split are
        equally likely: `thompson` after one exploration episode, `thompson_one_draw` after one that ends where its
        first draw is refuted, `no_exploration` after none.

    Raises:
        ScoutError: the family is no `EnumerableEnv`, or breaks a promise.
    """
    env = _enumerable(env)
    policies: dict[str, Policy] = {"optimum": _any_action(env), "random": _mean}
    policies |= {name: _best(mask) for name, mask in env.restrictions().items()}
    solved = _solved(env, list(policies.values()))
    known: dict[bytes, dict[str, float]] = {}
    for split in SPLITS:
        rows = env.problems.rows(split)
        if rows.tobytes() not in known:
            known[rows.tobytes()] = _of_split(env, solved, list(policies), rows)
    splits = {split: known[env.problems.rows(split).tobytes()] for split in SPLITS}
    return {name: {split: round(found[name], 6) for split, found in splits.items()} for name in splits["train"]}


def optimum(env: MetaEnv) -> dict[str, float]:
    """The bound `optimum` alone, by split, which takes a part of the time.

    Raises:
        ScoutError: the family is no `EnumerableEnv`, or breaks a promise.
    """
    env = _enumerable(env)
    (values,) = _solved(env, [_any_action(env)]).values
    return {split: round(float(values[env.problems.rows(split)].mean()), 6) for split in SPLITS}


def _enumerable(env: MetaEnv) -> EnumerableEnv:
    """The family, if it can be solved and keeps its promises."""
    if not isinstance(env, EnumerableEnv):
        raise ScoutError(
            f"{type(env).__name__} has no exact bounds: its states cannot be listed. "
            "Derive it from scoutrl.envs.enumerable.EnumerableEnv if they can."
        )
    check_own(env)
    check_enumerable(env)
    return env


Policy = Callable[[Float[np.ndarray, "states actions"]], Float[np.ndarray, " states"]]
"""From the values of the actions to the value of the state."""


def _any_action(env: EnumerableEnv) -> Policy:
    return _best(np.ones(int(env.spaces.action.n), bool))  # pyright: ignore[reportAttributeAccessIssue]


def _best(allowed: Bool[np.ndarray, " actions"]) -> Policy:
    return lambda values: values[:, allowed].max(axis=1)


def _mean(values: Float[np.ndarray, "states actions"]) -> Float[np.ndarray, " states"]:
    return values.mean(axis=1)


class _Solved(eqx.Module):
    """All problems, solved."""

    values: Float[np.ndarray, "policies problems"]
    """What each policy is worth in each problem."""
    plan: Plan
    """What the optimum does."""
    places: Int[np.ndarray, "problems starts"]
    """Where the plan for each start of each problem begins."""


def _of_split(env: EnumerableEnv, solved: _Solved, policies: list[str], rows: np.ndarray) -> dict[str, float]:
    """The bounds on the problems of one split, by name."""
    found = dict(zip(policies, solved.values[:, rows].mean(axis=1).tolist(), strict=True))
    starts = _starts(env, env.problems.ids[rows])
    if env.horizon == 1:
        found["no_information"] = _uninformed(env, starts)
    sampler = Thompson(env, starts, solved.places[rows], solved.plan)
    prior = np.full((1, len(rows)), 1 / len(rows))
    found["thompson"] = sampler.exploited(sampler.explored(prior, again=True))
    found["thompson_one_draw"] = sampler.exploited(sampler.explored(prior, again=False))
    found["no_exploration"] = sampler.exploited(prior)
    return found


def _solved(env: EnumerableEnv, policies: list[Policy]) -> _Solved:
    """Solve all problems; those with the same representative are solved once."""
    alike = np.asarray(jax.vmap(env.representative)(jnp.asarray(env.problems.ids)))
    distinct, which = np.unique(alike, axis=0, return_inverse=True)
    groups = [_solve(env, distinct[first : first + _GROUP], policies) for first in range(0, len(distinct), _GROUP)]
    values = np.concatenate([values for values, _ in groups], axis=1)
    plans = joined([plan for _, plan in groups])
    places = np.arange(len(plans.actions[0])).reshape(len(distinct), -1)
    return _Solved(values[:, which.reshape(-1)], plans, places[which.reshape(-1)])


def _solve(env: EnumerableEnv, problems: np.ndarray, policies: list[Policy]) -> tuple[np.ndarray, Plan]:
    """The values [policies, problems] of some problems [problems, k], and the optimum's plan for all their starts."""
    starts = _starts(env, problems)
    found = layers(env, starts.states)
    values = [_induct(found, policy) for policy in policies]
    probabilities = np.asarray(starts.probabilities, np.float64).reshape(len(problems), -1)
    values = (np.stack(values).reshape(len(policies), *probabilities.shape) * probabilities).sum(axis=-1)
    return values, plan(found)


def _induct(found: list[Layer], policy: Policy) -> Float[np.ndarray, " states"]:
    """The values of the states of the first layer: V_t = policy(r_t + V_{t+1}), and 0 after the end."""
    values = np.zeros(0)
    for layer in reversed(found):
        # The last entry stands for the end of the episode, which children of -1 point at.
        values = policy(layer.rewards + np.append(values, 0.0)[layer.children])
    return values


def _uninformed(env: EnumerableEnv, starts: Starts) -> float:
    """Horizon 1: the action best on average over the problems, for each first observation and goal."""
    (layer,) = layers(env, starts.states)
    seen = flat((starts.observations, jax.vmap(env.goal)(starts.states)))
    _, situation = np.unique(np.stack(seen, axis=1), axis=0, return_inverse=True)
    likely = np.asarray(starts.probabilities, np.float64)
    worth: Float[np.ndarray, "situations actions"] = np.zeros((situation.max() + 1, layer.rewards.shape[1]))
    np.add.at(worth, situation.reshape(-1), likely[:, None] * layer.rewards)
    return float(worth.max(axis=1).sum() / likely.sum())


def _starts(env: EnumerableEnv, problems: Int[np.ndarray, "problems k"] | Float[np.ndarray, "problems k"]) -> Starts:
    """The starts of all problems, one after the other: every field [problems * starts, …]."""
    starts = _all_starts(env, jnp.asarray(problems))
    return jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), starts)


@eqx.filter_jit
def _all_starts(env: EnumerableEnv, problems: Array) -> Starts:
    return jax.vmap(env.starts)(problems)
