"""Does a family keep its promises? Says which method breaks which one, before any training starts."""

from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl import prng
from scoutrl.envs.base import MetaEnv, Spaces, Spec, Step
from scoutrl.envs.check_pure import check_pure
from scoutrl.envs.check_values import check_values
from scoutrl.envs.host import HostFamily
from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.raised import Shapes, returned
from scoutrl.envs.spaces import is_image
from scoutrl.envs.suites import SuiteFamily
from scoutrl.errors import ScoutError

_SMALLEST = 20
"""Pixels from which on a side belongs to a picture: the image encoder merges that many into one place. Below it codes
are meant, which say nothing as brightness."""


def check(env: Spec, *, play: bool = True) -> None:
    """Look at the shapes and types of all that a family answers, and `play` a few short episodes at random.

    Takes well below a second. `render` is not looked at: training never calls it, see `check_render`.

    Raises:
        ScoutError: names the family's class, the method and what is wrong with it.
    """
    if not isinstance(env, MetaEnv):
        raise ScoutError(f"a family must be a scoutrl.MetaEnv object; this is a {type(env).__name__}.")
    name = env.title
    _check_attributes(env, name)
    _check_shapes(env, name)
    if play:
        check_pure(env, name)
        check_values(env, name)


def check_render(env: MetaEnv) -> None:
    """See whether `render` can be compiled and gives pictures.

    Raises:
        ScoutError: it raises something, or returns something else.
    """
    name, problem = env.title, jax.ShapeDtypeStruct(env.problems.ids.shape[1:], env.problems.ids.dtype)
    state, _ = returned(f"{name}.reset", env.reset, problem, prng.key(0))
    picture = _shape(returned(f"{name}.render", env.render, state))
    if picture.dtype != np.uint8 or len(picture.shape) != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ScoutError(
            f"the picture that {name}.render returns must have shape [height, width, 3] and type uint8; it has shape "
            f"{picture.shape} and type {picture.dtype}."
        )


def check_own(env: Spec, *, play: bool = True) -> None:
    """Check a family that is not Scout's own: those are checked by its tests. `play` False looks at shapes only.

    A family on the host was looked at when it was made; its environments are watched when they are stepped.
    """
    if isinstance(env, HostFamily):
        return
    if isinstance(env, SuiteFamily) or not type(env).__module__.startswith("scoutrl."):
        check(env, play=play)


def _check_attributes(env: MetaEnv, name: str) -> None:
    if not isinstance(env.problems, ProblemSet):
        raise ScoutError(f"{name}.problems must be a scoutrl.ProblemSet; it is a {type(env.problems).__name__}.")
    if not isinstance(env.spaces, Spaces):
        raise ScoutError(f"{name}.spaces must be a scoutrl.Spaces; it is a {type(env.spaces).__name__}.")
    horizon = env.horizon
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise ScoutError(f"{name}.horizon must be a whole number of at least 1; it is {horizon!r}.")
    if env.time_limit not in ("ends", "bootstrap"):
        raise ScoutError(f'{name}.time_limit must be "ends" or "bootstrap"; it is {env.time_limit!r}.')
    for role in ("observation", "action", "goal"):
        space = getattr(env.spaces, role)
        if role == "goal" and space is None:
            continue
        if problem := _unsupported(space, role):
            raise ScoutError(f"{name}.spaces.{role} {problem}.")


def _unsupported(space: Any, role: str) -> str:
    """What is wrong with a space; empty if nothing is."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return "must count from 0" if space.start != 0 else ""
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        counted = space.nvec.ndim == 1 and not np.any(space.start)
        return "" if counted else "must be a flat list of components that count from 0"
    if not isinstance(space, gymnasium.spaces.Box):
        return f"must be Discrete, MultiDiscrete or Box; it is a {type(space).__name__}"
    if role == "action" and not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        return "must have finite bounds"
    if role == "observation" and is_image(space):
        return _no_picture(space)
    if space.dtype == np.float32 and len(space.shape) == 1:
        return ""
    allowed = "a vector of float32" + (" or an image [height, width, 3] of uint8" if role == "observation" else "")
    return f"must be {allowed}, as a Box; it has shape {space.shape} and type {space.dtype}"


def _no_picture(space: gymnasium.spaces.Box) -> str:
    """What is wrong with a space of arrays [height, width, channels] of uint8; empty if they are pictures."""
    height, width, channels = space.shape
    if channels == 3 and min(height, width) >= _SMALLEST and not space.low.any() and (space.high == 255).all():
        return ""
    return (
        f"must be a picture Box(0, 255, (height, width, 3), uint8) of at least {_SMALLEST}x{_SMALLEST} pixels; it is "
        f"{height}x{width}x{channels} from {space.low.min()} to {space.high.max()}. Give a grid of codes as "
        f"MultiDiscrete([codes] * {space.low.size}), flattened, and enlarge a small picture"
    )


def _check_shapes(env: MetaEnv, name: str) -> None:
    """Everything that can be said without running anything."""
    problem, key = jax.ShapeDtypeStruct(env.problems.ids.shape[1:], env.problems.ids.dtype), prng.key(0)
    answer = returned(f"{name}.reset", env.reset, problem, key)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise ScoutError(f"{name}.reset must return (state, observation); it returned a {type(answer).__name__}.")
    state, observation = answer
    _check_fits(f"the observation that {name}.reset returns", observation, env.spaces.observation)
    goal = returned(f"{name}.goal", env.goal, state)
    if env.spaces.goal is not None:
        _check_fits(f"the goal that {name}.goal returns", goal, env.spaces.goal)
    elif goal is not None:
        raise ScoutError(f"{name}.goal must return None, because {name}.spaces has no goal.")
    drawn = returned(f"{name}.sample_goal", env.sample_goal, key)
    if env.spaces.goal is not None:
        _check_fits(f"the goal that {name}.sample_goal returns", drawn, env.spaces.goal)
    action = jax.ShapeDtypeStruct(env.spaces.action.shape or (), _kind(env.spaces.action))
    answer = returned(f"{name}.step", env.step, state, action, key)
    if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], Step):
        raise ScoutError(f"{name}.step must return (state, scoutrl.Step(observation, reward, terminated, truncated)).")
    after, step = answer
    _check_same_state(name, state, after)
    _check_fits(f"the observation that {name}.step returns", step.observation, env.spaces.observation)
    if _shape(step.observation).dtype != _shape(observation).dtype:
        raise ScoutError(
            f"{name}.reset and {name}.step return observations of different types, "
            f"{_shape(observation).dtype} and {_shape(step.observation).dtype}; cast one of them."
        )
    _check_scalar(f"the reward that {name}.step returns", step.reward, "biuf", "a number")
    for flag in ("terminated", "truncated"):
        _check_scalar(f"{flag}, which {name}.step returns,", getattr(step, flag), "b", "a boolean")


def _kind(space: gymnasium.Space) -> Any:
    """The type in which numbers of a space travel."""
    return np.dtype(np.int32) if not isinstance(space, gymnasium.spaces.Box) else space.dtype


def _shape(leaf: Any) -> Any:
    """A leaf as something with a shape and a type, whatever it is."""
    return leaf if hasattr(leaf, "shape") and hasattr(leaf, "dtype") else jax.ShapeDtypeStruct((-1,), np.dtype(object))


def _check_fits(what: str, leaf: Any, space: gymnasium.Space) -> None:
    """Shape and kind of one array; integers may have any width."""
    shape, kind = space.shape or (), _kind(space)
    if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
        raise ScoutError(f"{what} must be an array of shape {shape}; it is a {type(leaf).__name__}.")
    right_kind = jnp.issubdtype(leaf.dtype, np.integer) if kind == np.int32 else leaf.dtype == kind
    if leaf.shape != shape or not right_kind:
        raise ScoutError(
            f"{what} must have shape {shape} and type {kind}, as its space says; "
            f"it has shape {leaf.shape} and type {leaf.dtype}."
        )


def _check_scalar(what: str, leaf: Any, kinds: str, called: str) -> None:
    found = _shape(leaf)
    if found.shape != () or np.dtype(found.dtype).kind not in kinds:
        of = f"shape {found.shape} and type {found.dtype}" if hasattr(leaf, "dtype") else type(leaf).__name__
        raise ScoutError(f"{what} must be {called} of shape (); it is {of}.")


def _check_same_state(name: str, before: Shapes, after: Shapes) -> None:
    if jax.tree.structure(before) != jax.tree.structure(after):
        raise ScoutError(
            f"{name}.step must return a state of the same structure as {name}.reset; "
            f"they return {_brief(jax.tree.structure(before))} and {_brief(jax.tree.structure(after))}."
        )
    paths = jax.tree_util.tree_leaves_with_path(before)
    for (path, old), new in zip(paths, jax.tree.leaves(after), strict=True):
        if old.shape != new.shape or old.dtype != new.dtype:
            raise ScoutError(
                f"the state{jax.tree_util.keystr(path)} of {name} has shape {old.shape} and type {old.dtype} after "
                f"reset, but shape {new.shape} and type {new.dtype} after step; make them equal."
            )


def _brief(structure: Any) -> str:
    text = str(structure).removeprefix("PyTreeDef(").removesuffix(")")
    return text if len(text) < 160 else text[:157] + "..."
