"""What the grid families share: nine actions, walking, ends of episodes, problem IDs in one or several components.

The rules are those of the benchmarks of Liu et al. 2021 (DREAM). x grows to the right, y upwards; all integers int32.
"""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from scoutrl.envs.base import Step
from scoutrl.envs.problems import Problem
from scoutrl.errors import ScoutError

ACTIONS = ("left", "up", "right", "down", "no-op", "ride", "end episode", "pick up", "drop")
"""What each of the nine actions is called."""
LEFT, UP, RIGHT, DOWN, STAY, RIDE, END, PICK_UP, DROP = range(len(ACTIONS))
HORIZON = 20
"""Steps of an episode."""

Position = Int[Array, "2"]
"""A cell (x, y)."""


def counts(*sizes: int) -> gymnasium.spaces.MultiDiscrete[np.int32]:
    """The space of int32 vectors whose component j lies in 0 … sizes[j]-1."""
    return gymnasium.spaces.MultiDiscrete(np.array(sizes), dtype=np.int32)


def walk(position: Position, action: Int[Array, ""], size: int) -> Position:
    """One cell left, up, right or down on a grid of `size` x `size`; other actions stay."""
    right = (action == RIGHT).astype(jnp.int32) - (action == LEFT)
    up = (action == UP).astype(jnp.int32) - (action == DOWN)
    return jnp.clip(position + jnp.stack([right, up]), 0, size - 1)


def standing_on(position: Position, cells: Int[Array, "cells 2"] | Int[np.ndarray, "cells 2"]) -> Bool[Array, " cells"]:
    """Which of the cells is the position."""
    return (position[None] == cells).all(axis=-1)


def forfeit(action: Int[Array, ""], steps: Int[Array, ""]) -> Float[Array, ""]:
    """What "end episode" costs on top: 0.1 for each step that remains; `steps` counts this one."""
    return jnp.where(action == END, 0.1 * (HORIZON - steps), 0.0)


def answer(
    observation: Int[Array, " n"],
    reward: Float[Array, ""],
    done: Bool[Array, ""],
    action: Int[Array, ""],
    steps: Int[Array, ""],
) -> Step:
    """The answer to a step that is number `steps` of its episode; `done` says whether the goal was reached."""
    return Step(observation, reward, done | (action == END), steps >= HORIZON)


def pick(key: PRNGKeyArray, count: int) -> Int[Array, ""]:
    """A number in 0 … count-1, uniform to within 2⁻²⁹; cheaper than `jax.random.randint`."""
    return (jax.random.bits(key, (), jnp.uint32) % count).astype(jnp.int32)


def identities(sizes: tuple[int, ...], ids: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """Make the IDs of problems whose number is n = c_0 + sizes[0] (c_1 + sizes[1] (c_2 + …)).

    Args:
        sizes: how many values each component c_j takes.
        ids: "number" for one component n, "components" for (c_0, c_1, …).

    Returns:
        The IDs [problems, k] in the order of n, and k weights that turn an ID back into n.

    Raises:
        ScoutError: `ids` is neither of the two.
    """
    if ids not in ("number", "components"):
        raise ScoutError(f'option ids must be "number" or "components", not {ids!r}')
    numbers = np.arange(np.prod(sizes))
    if ids == "number":
        return numbers[:, None], (1,)
    weights = tuple(int(weight) for weight in np.cumprod((1, *sizes[:-1])))
    return numbers[:, None] // np.array(weights) % np.array(sizes), weights


def number(problem: Problem, weights: tuple[int, ...]) -> Int[Array, ""]:
    """The number n of a problem, from its ID [k] and the weights of `identities`."""
    return (jnp.asarray(problem) * np.array(weights, np.int32)).sum()
