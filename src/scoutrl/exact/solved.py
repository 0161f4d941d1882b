"""All problems of a family solved: what policies that are told the problem are worth, and what the best one does."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.exact.optimal_policy import Plan, joined, plan
from scoutrl.exact.reachable import Layer, layers

Policy = Callable[[Float[np.ndarray, "states actions"]], Float[np.ndarray, " states"]]
"""From the values of the actions to the value of the state."""

_GROUP = 32
"""Problems solved at once: enough to keep the processor busy, few enough for its cache."""


class Solved(eqx.Module):
    """All problems, solved."""

    values: Float[np.ndarray, "policies problems"]
    """What each policy is worth in each problem."""
    plan: Plan
    """What the optimum does."""
    places: Int[np.ndarray, "problems starts"]
    """Where the plan for each start of each problem begins."""


def best(allowed: Bool[np.ndarray, " actions"]) -> Policy:
    """The best of the allowed actions."""
    return lambda values: values[:, allowed].max(axis=1)


def solve(env: EnumerableEnv, policies: list[Policy]) -> Solved:
    """Solve all problems; those with the same representative are solved once."""
    alike = np.asarray(jax.vmap(env.representative)(jnp.asarray(env.problems.ids)))
    distinct, which = np.unique(alike, axis=0, return_inverse=True)
    groups = [_solve(env, distinct[first : first + _GROUP], policies) for first in range(0, len(distinct), _GROUP)]
    values = np.concatenate([values for values, _ in groups], axis=1)
    plans = joined([plan for _, plan in groups])
    places = np.arange(len(plans.actions[0])).reshape(len(distinct), -1)
    return Solved(values[:, which.reshape(-1)], plans, places[which.reshape(-1)])


def _solve(env: EnumerableEnv, problems: np.ndarray, policies: list[Policy]) -> tuple[np.ndarray, Plan]:
    """The values [policies, problems] of some problems [problems, k], and the optimum's plan for all their starts."""
    starts = all_starts(env, problems)
    found = layers(env, starts.states)
    values = np.array([_induct(found, policy) for policy in policies])
    probabilities = np.asarray(starts.probabilities, np.float64).reshape(len(problems), -1)
    values = (values.reshape(len(policies), *probabilities.shape) * probabilities).sum(axis=-1)
    return values, plan(found)


def _induct(found: list[Layer], policy: Policy) -> Float[np.ndarray, " states"]:
    """The values of the states of the first layer: V_t = policy(r_t + V_{t+1}), and 0 after the end."""
    values = np.zeros(0)
    for layer in reversed(found):
        # The last entry stands for the end of the episode, which children of -1 point at.
        values = policy(layer.rewards + np.append(values, 0.0)[layer.children])
    return values


def all_starts(env: EnumerableEnv, problems: Int[np.ndarray, "problems k"] | Float[np.ndarray, "problems k"]) -> Starts:
    """The starts of all problems, one after the other: every field [problems * starts, …]."""
    starts = _all_starts(env, jnp.asarray(problems))
    return jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), starts)


@eqx.filter_jit
def _all_starts(env: EnumerableEnv, problems: Array) -> Starts:
    return jax.vmap(env.starts)(problems)
