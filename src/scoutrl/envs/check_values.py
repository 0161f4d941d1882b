"""A few random episodes of a family, looked at for values that lie outside its spaces or are not finite."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.envs.base import Action, Goal, MetaEnv, Observation, State
from scoutrl.envs.raised import OWN, callbacks_of, one_line
from scoutrl.envs.spaces import limits
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell

_PROBLEMS, _EPISODES = 8, 4
"""Problems played, of both splits, and episodes in each: with the same keys and actions in all."""
_STEPS = 32
"""The most steps of an episode that are played."""


class _Played(eqx.Module):
    """What random episodes showed; every field has the leading axis [episodes]."""

    first: Observation
    goal: Goal
    later: Observation
    """[episodes, steps, *observation]"""
    rewards: Float[Array, "episodes steps"]
    ended: Bool[Array, "episodes steps"]


def check_values(env: MetaEnv, name: str) -> None:
    """Play a family whose shapes and types are right.

    Raises:
        ScoutError: says which method of `name` returned a value outside its space, or one that is not finite.
    """
    rows = [env.problems.rows(split) for split in ("train", "test")]
    each, random = _PROBLEMS // len({split.tobytes() for split in rows}), np.random.default_rng(0)
    # Drawn, not evenly spread: regular tables would show one value of a component only.
    spread = np.unique([row for split in rows for row in random.permutation(split)[:each]])
    problems = env.problems.ids[np.repeat(spread, _EPISODES)]
    try:
        with callbacks_of(name):
            played = jax.tree.map(np.asarray, _play(env, problems))
    except ScoutError:
        raise
    except OWN as error:
        raise ScoutError(f"{name} cannot be compiled and run: {one_line(error)}") from error
    _check_inside(f"{name}.reset returns an observation", played.first, env.spaces.observation)
    if env.spaces.goal is not None:
        _check_inside(f"{name}.goal returns a goal", played.goal, env.spaces.goal)
    lived = np.cumsum(played.ended, axis=1) - played.ended == 0
    _check_inside(f"{name}.step returns an observation", played.later[lived], env.spaces.observation)
    rewards = played.rewards[lived]
    _tell_if_alike(played, lived, len(spread), name)
    if not np.isfinite(rewards).all():
        raise ScoutError(f"{name}.step returns a reward that is not finite: {rewards[~np.isfinite(rewards)][0]}.")


def _tell_if_alike(played: _Played, lived: np.ndarray, problems: int, name: str) -> None:
    """Say so where nothing told the problems apart; that may be chance, as where a reward is rare."""
    seen = [played.first, played.goal, lived, played.rewards * lived, played.ended & lived]
    seen.append(played.later * lived.reshape(*lived.shape, *[1] * (played.later.ndim - 2)))
    apart = (leaf.reshape(problems, -1) for leaf in jax.tree.leaves(seen))
    if problems > 1 and all((leaf == leaf[:1]).all() for leaf in apart):
        tell(f"{name}: {problems} problems behaved alike in {_EPISODES} random episodes of each; see that they differ.")


def _play(env: MetaEnv, problems: np.ndarray) -> _Played:
    def step(state: State, given: tuple[Action, PRNGKeyArray]) -> tuple[State, tuple[Observation, Array, Array]]:
        state, answer = env.step(state, *given)
        ended = jnp.logical_or(answer.terminated, answer.truncated)
        return state, (answer.observation, jnp.asarray(answer.reward, jnp.float32), ended)

    def episode(problem: Array, actions: Array, keys: PRNGKeyArray) -> _Played:
        state, first = env.reset(problem, keys[0])
        _, (later, rewards, ended) = jax.lax.scan(step, state, (actions, keys[1:]))
        return _Played(first, env.goal(state), later, rewards, ended)

    # Actions and keys come from NumPy, which saves more than half of what this costs: compiling the drawing of them.
    random = np.random.default_rng(0)
    shape = (_EPISODES, min(env.horizon, _STEPS))
    actions = _random_actions(random, env.spaces.action, shape)
    keys = random.integers(0, 2**32, (shape[0], shape[1] + 1, 2), np.uint32)
    actions, keys = (np.tile(one, (len(problems) // _EPISODES, *[1] * (one.ndim - 1))) for one in (actions, keys))
    play = jax.jit(jax.vmap(lambda p, a, k: episode(p, a, jax.random.wrap_key_data(k, impl="threefry2x32"))))
    return play(problems, actions, keys)


def _random_actions(random: np.random.Generator, space: gymnasium.Space, shape: tuple[int, ...]) -> np.ndarray:
    if isinstance(space, gymnasium.spaces.Box):
        return random.uniform(space.low, space.high, (*shape, *space.shape)).astype(space.dtype)
    counts = _counts(space)
    return random.integers(0, counts, (*shape, *counts.shape)).astype(np.int32)


def _counts(space: gymnasium.Space) -> np.ndarray:
    """How many values a Discrete space, or each component of a MultiDiscrete one, has."""
    return np.asarray(space.nvec if isinstance(space, gymnasium.spaces.MultiDiscrete) else space.n)  # pyright: ignore[reportAttributeAccessIssue]


def _check_inside(what: str, values: np.ndarray, space: gymnasium.Space) -> None:
    """All rows lie in the space."""
    if not np.isfinite(values).all():
        raise ScoutError(f"{what} that is not finite.")
    low, high = limits(space)
    outside = (values < low) | (values > high)
    if outside.any():
        row = np.array2string(values[np.argwhere(outside)[0][0]], threshold=8).replace("\n", "")
        raise ScoutError(f"{what} outside its space {space}: {row}.")
