"""All states that a family can be in after 0, 1, 2, … steps, and how they hang together."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl import prng
from scoutrl.envs.base import State
from scoutrl.envs.enumerable import EnumerableEnv

_STEPS, _FEW = 2**17, 2**14
"""Environment steps computed at once; always one of the two, so that the step is compiled no more than twice."""


class Layer(eqx.Module):
    """The states after some number of steps, and what each action leads to."""

    rewards: Float[np.ndarray, "states actions"]
    children: Int[np.ndarray, "states actions"]
    """Places in the next layer; -1: the episode ended."""


def layers(env: EnumerableEnv, starts: State) -> list[Layer]:
    """What can happen from `starts` (fields [starts, …]) on, up to the horizon; the first layer is the starts.

    States that came from different starts are kept apart even if they are equal: that costs nothing where, as is
    usual, the problem and the goal are part of the state, and it makes equal states cheap to find.
    """
    origin, states = np.arange(len(jax.tree.leaves(starts)[0])), starts
    found, varies = [], np.zeros(len(flat(starts)), bool)
    for time in range(env.horizon):
        after, rewards, ended = _expand(env, states)
        alive = np.flatnonzero(~ended) if time < env.horizon - 1 else np.zeros(0, np.int64)
        columns = flat(after)
        # A column that no step has ever changed tells apart nothing but starts, which are kept apart anyway.
        for j, before in enumerate(flat(states)):
            varies[j] = varies[j] or (columns[j].reshape(rewards.shape) != before[:, None]).any()
        parents = np.repeat(origin, rewards.shape[1])[alive]
        first, place = distinct([parents, *(columns[j][alive] for j in np.flatnonzero(varies))])
        children = np.full(rewards.shape, -1)
        children.reshape(-1)[alive] = place
        found.append(Layer(rewards, children))
        if not len(alive):
            break
        origin, states = parents[first], take(after, alive[first])
    return found


def flat(tree: Any) -> list[Int[np.ndarray, " rows"]]:
    """The numbers of a tree of arrays [rows, …], a column each, as integers that differ where the numbers differ."""
    columns = []
    for leaf in jax.tree.leaves(tree):
        array = np.asarray(leaf)
        array = array.view(np.int32) if array.dtype == np.float32 else array
        columns += list(array.reshape(len(array), -1).T)
    return columns


def _expand(
    env: EnumerableEnv, states: State
) -> tuple[State, Float[np.ndarray, "states actions"], Bool[np.ndarray, "states actions"]]:
    """Every action in every state: the states after [states * actions, …], rewards, and whether the episode ends."""
    count = len(jax.tree.leaves(states)[0])
    block = max(1, _STEPS // int(env.spaces.action.n))  # pyright: ignore[reportAttributeAccessIssue]
    parts = []
    for begin in range(0, count, block):
        rows = np.arange(begin, begin + block)
        part = _expand_block(env, take(states, np.minimum(rows, count - 1)))
        parts.append(take(part, slice(count - begin)))
    after, rewards, ended = jax.tree.map(lambda *xs: np.concatenate(xs), *parts)
    after = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), after)
    return after, rewards.astype(np.float64), ended


@eqx.filter_jit
def _expand_block(env: EnumerableEnv, states: State) -> tuple[State, Array, Array]:
    actions = jnp.arange(env.spaces.action.n, dtype=jnp.int32)  # pyright: ignore[reportAttributeAccessIssue]
    key = prng.key(0)

    def step(state: State, action: Array) -> tuple[State, Array, Array]:
        after, answer = env.step(state, action, key)
        ended = jnp.logical_or(answer.terminated, answer.truncated)
        return after, jnp.asarray(answer.reward, jnp.float32), ended

    return jax.vmap(jax.vmap(step, (None, 0)), (0, None))(states, actions)


def act(env: EnumerableEnv, states: State, actions: np.ndarray) -> tuple[State, ...]:
    """One action in each state: the states after, observations, rewards, and whether the episode ends."""
    parts, block = [], _FEW if len(actions) < _STEPS else _STEPS
    for begin in range(0, len(actions), block):
        rows = np.minimum(np.arange(begin, begin + block), len(actions) - 1)
        parts.append(take(_act_block(env, take(states, rows), actions[rows]), slice(len(actions) - begin)))
    return jax.tree.map(lambda *xs: np.concatenate(xs), *parts)


@eqx.filter_jit
def _act_block(env: EnumerableEnv, states: State, actions: np.ndarray) -> tuple[State, ...]:
    key = prng.key(0)

    def step(state: State, action: Array) -> tuple[State, ...]:
        after, answer = env.step(state, action, key)
        ended = jnp.logical_or(answer.terminated, answer.truncated)
        return after, answer.observation, jnp.asarray(answer.reward, jnp.float32), ended

    return jax.vmap(step)(states, jnp.asarray(actions, jnp.int32))


def take(tree: Any, rows: Any) -> Any:
    """Rows of every array in a tree, as NumPy."""
    return jax.tree.map(lambda x: np.asarray(x)[rows], tree)


def distinct(columns: list[Int[np.ndarray, " rows"]]) -> tuple[Int[np.ndarray, " distinct"], Int[np.ndarray, " rows"]]:
    """One row of each kind, and for every row which kind it is. The columns become the digits of one number."""
    code, span = np.zeros(len(columns[0]), np.int64), 1
    if not len(code):
        return code, code
    for column in columns:
        low = int(column.min())
        size = int(column.max()) - low + 1
        if span * size >= 2**62:
            code = np.unique(code, return_inverse=True)[1]
            span = int(code.max()) + 1
        code, span = code * size + (column.astype(np.int64) - low), span * size
    if span > 16 * len(code):
        return np.unique(code, return_index=True, return_inverse=True)[1:]
    present = np.zeros(span, bool)
    present[code] = True
    kind = (np.cumsum(present) - 1)[code]
    first = np.empty(int(present.sum()), np.int64)
    first[kind] = np.arange(len(code))
    return first, kind
