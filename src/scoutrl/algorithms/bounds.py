"""What can be earned in a family, exactly: the mean undiscounted return of one exploitation episode.

Backward induction over the states that can be reached, layer by layer of time. Nothing is learnt and nothing sampled.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl.algorithms.layers import Layer, flat, layers
from scoutrl.envs.base import MetaEnv
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.errors import ScoutError

Bounds = dict[str, dict[str, float]]
"""Name of a bound -> its mean over the problems of each split, "train" and "test"."""

_GROUP = 32
"""Problems solved at once: enough to keep the processor busy, few enough for its cache."""


def bounds(env: MetaEnv) -> Bounds:
    """Compute the bounds of a family.

    Returns:
        `optimum`: the best policy that is told the problem. `random`: every action with equal probability. One bound
        for each of the family's own `restrictions`: the best policy that is told the problem and keeps to those
        actions. In families of horizon 1 also `no_information`: the best policy that knows only which problems the
        split has.

    Raises:
        ScoutError: the family is no `EnumerableEnv`.
    """
    if not isinstance(env, EnumerableEnv):
        raise ScoutError(
            f"{type(env).__name__} has no exact bounds: its states cannot be listed. "
            "Derive it from scoutrl.envs.enumerable.EnumerableEnv if they can."
        )
    actions = int(env.spaces.action.n)  # pyright: ignore[reportAttributeAccessIssue]
    policies: dict[str, Policy] = {"optimum": _best(np.ones(actions, bool)), "random": _mean}
    policies |= {name: _best(mask) for name, mask in env.restrictions().items()}
    worth = _worth(env, list(policies.values()))
    splits = {"train": env.problems.train, "test": env.problems.test}
    found = {
        name: {split: float(worth[policy, rows].mean()) for split, rows in splits.items()}
        for policy, name in enumerate(policies)
    }
    if env.horizon == 1:
        found["no_information"] = {split: _uninformed(env, env.problems.ids[rows]) for split, rows in splits.items()}
    return {name: {split: round(value, 6) for split, value in means.items()} for name, means in found.items()}


Policy = Callable[[Float[np.ndarray, "states actions"]], Float[np.ndarray, " states"]]
"""From the values of the actions to the value of the state."""


def _best(allowed: Bool[np.ndarray, " actions"]) -> Policy:
    return lambda values: values[:, allowed].max(axis=1)


def _mean(values: Float[np.ndarray, "states actions"]) -> Float[np.ndarray, " states"]:
    return values.mean(axis=1)


def _worth(env: EnumerableEnv, policies: list[Policy]) -> Float[np.ndarray, "policies problems"]:
    """The value of every problem; problems with the same representative are solved once."""
    alike = np.asarray(jax.vmap(env.representative)(jnp.asarray(env.problems.ids)))
    solved, which = np.unique(alike, axis=0, return_inverse=True)
    groups = [solved[first : first + _GROUP] for first in range(0, len(solved), _GROUP)]
    values = np.concatenate([_solve(env, group, policies) for group in groups], axis=1)
    return values[:, which.reshape(-1)]


def _solve(env: EnumerableEnv, problems: np.ndarray, policies: list[Policy]) -> Float[np.ndarray, "policies problems"]:
    """The value of each of some problems [problems, k]."""
    starts = _starts(env, problems)
    found = layers(env, starts.states)
    values = [_induct(found, policy) for policy in policies]
    probabilities = np.asarray(starts.probabilities, np.float64).reshape(len(problems), -1)
    return (np.stack(values).reshape(len(policies), *probabilities.shape) * probabilities).sum(axis=-1)


def _induct(found: list[Layer], policy: Policy) -> Float[np.ndarray, " states"]:
    """The values of the states of the first layer: V_t = policy(r_t + V_{t+1}), and 0 after the end."""
    values = np.zeros(0)
    for layer in reversed(found):
        # The last entry stands for the end of the episode, which children of -1 point at.
        values = policy(layer.rewards + np.append(values, 0.0)[layer.children])
    return values


def _uninformed(env: EnumerableEnv, problems: np.ndarray) -> float:
    """Horizon 1: the action best on average over the problems, for each first observation and goal."""
    starts = _starts(env, problems)
    (layer,) = layers(env, starts.states)
    seen = flat((starts.observations, jax.vmap(env.goal)(starts.states)))
    _, situation = np.unique(np.stack(seen, axis=1), axis=0, return_inverse=True)
    likely = np.asarray(starts.probabilities, np.float64) / len(problems)
    worth: Float[np.ndarray, "situations actions"] = np.zeros((situation.max() + 1, layer.rewards.shape[1]))
    np.add.at(worth, situation.reshape(-1), likely[:, None] * layer.rewards)
    return float(worth.max(axis=1).sum())


def _starts(env: EnumerableEnv, problems: Int[np.ndarray, "problems k"] | Float[np.ndarray, "problems k"]) -> Starts:
    """The starts of all problems, one after the other: every field [problems * starts, …]."""
    starts = _all_starts(env, jnp.asarray(problems))
    return jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), starts)


@eqx.filter_jit
def _all_starts(env: EnumerableEnv, problems: Array) -> Starts:
    return jax.vmap(env.starts)(problems)
