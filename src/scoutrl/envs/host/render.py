"""Environments that draw pictures of themselves, for films."""

import functools
import inspect
from typing import Any

import gymnasium
import numpy as np

from scoutrl.envs.host.look import own_code
from scoutrl.envs.raised import one_line
from scoutrl.errors import ScoutError
from scoutrl.pool.job import Job
from scoutrl.pool.worker import close

MODE = "rgb_array"
"""The render mode of environments that give pictures."""


def drawing_env(job: Job, row: int) -> gymnasium.Env:
    """An environment of the problem in a row that gives pictures: as `make` makes it, or made again to do so.

    Raises:
        ScoutError: it cannot be had; says what `make` has to do.
    """
    with own_code(f"the environment of problem {job.arguments[row]} raised"):
        env = job.new(row)
    if env.render_mode == MODE:
        return env
    found: Any = None
    failed: Exception | None = None
    try:
        arguments = () if job.by_reset else (job.arguments[row],)
        if "render_mode" in inspect.signature(job.make).parameters:
            found = job.make(*arguments, render_mode=MODE)
        elif env.spec is not None:
            found = gymnasium.make(env.spec, render_mode=MODE, disable_env_checker=True)
    except Exception as error:
        failed = error
    close(env)
    if found is None or found.render_mode != MODE:
        raise ScoutError(
            "this family cannot be filmed: let make take render_mode=None, and make environments with it; for films it "
            f'is "rgb_array"{f" (with that it failed: {one_line(failed)})" if failed else ""}.'
        ) from failed
    return found


@functools.singledispatch
def drawn(env: Any, goal: bool) -> np.ndarray | None:
    """The picture of an environment, with the goal in it or without; None: it is what `render` gives.

    Kinds of environments that can leave the goal out register themselves; `env` has no wrappers.
    """
    return None


@functools.singledispatch
def spot_in(env: Any) -> np.ndarray:
    """Column and row in its picture where the agent is; NaN of environments that do not tell.

    Kinds of environments that do register themselves; `env` has no wrappers.
    """
    return np.full(2, np.nan)


def picture_of(env: gymnasium.Env, goal: bool) -> np.ndarray:
    """What an environment draws, [height, width, 3] uint8; without `goal`, if it can leave that out.

    Raises:
        ScoutError: it is something else.
    """
    with own_code("render raised"):
        found = drawn(env.unwrapped, goal)
        picture = np.asarray(env.render() if found is None else found)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ScoutError(
            f"the picture that render returns must have shape [height, width, 3] and type uint8; it has shape "
            f"{picture.shape} and type {picture.dtype}."
        )
    return picture
