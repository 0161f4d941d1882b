"""The further promises of an `EnumerableEnv`, looked at before its bounds are computed."""

from typing import Any

import gymnasium
import jax
import numpy as np

from scoutrl import prng
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.envs.raised import OWN, one_line, returned
from scoutrl.errors import ScoutError


def check_enumerable(env: EnumerableEnv) -> None:
    """Look at the shapes of what the methods for exact bounds answer.

    Raises:
        ScoutError: names the family's class, the method and what is wrong with it.
    """
    name, action = type(env).__name__, env.spaces.action
    if not isinstance(action, gymnasium.spaces.Discrete):
        raise ScoutError(f"{name} has no exact bounds: its actions must be Discrete; they are {action}.")
    problem = jax.ShapeDtypeStruct(env.problems.ids.shape[1:], env.problems.ids.dtype)
    starts = returned(f"{name}.starts", env.starts, problem)
    if not isinstance(starts, Starts):
        raise ScoutError(f"{name}.starts must return Starts(states, observations, probabilities).")
    state, observation = returned(f"{name}.reset", env.reset, problem, prng.key(0))
    count = getattr(starts.probabilities, "shape", ())
    given, wanted = _shapes((starts.states, starts.observations)), _shapes((state, observation))
    if len(count) != 1 or given != (wanted[0], [count + shape for shape in wanted[1]]):
        raise ScoutError(
            f"{name}.starts must return the states and observations that reset draws from, with a leading axis, and as "
            "many probabilities."
        )
    representative = returned(f"{name}.representative", env.representative, problem)
    if getattr(representative, "shape", None) != problem.shape:
        raise ScoutError(f"{name}.representative must return a problem ID of shape {problem.shape}.")
    _check_restrictions(env, name, int(action.n))


def _shapes(tree: Any) -> tuple[Any, list[tuple[int, ...]]]:
    return jax.tree.structure(tree), [getattr(leaf, "shape", ()) for leaf in jax.tree.leaves(tree)]


def _check_restrictions(env: EnumerableEnv, name: str, actions: int) -> None:
    try:
        masks = {of: np.asarray(mask) for of, mask in env.restrictions().items()}
    except OWN as error:
        raise ScoutError(f"{name}.restrictions raised {one_line(error)}") from error
    for of, mask in masks.items():
        if mask.shape != (actions,) or mask.dtype != bool or not mask.any():
            raise ScoutError(
                f"{name}.restrictions must tell which of the {actions} actions {of!r} allows, at least one."
            )
