"""The real Miniworld, in processes of its own: one for each core, each with one world for each word on the sign.

Nothing here imports JAX: the processes are to start quickly and to stay small.
"""

import atexit
import contextlib
import functools
import importlib.util
import io
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from scoutrl.errors import ScoutError


def check_installed() -> None:
    """Raise a ScoutError if Miniworld is not installed."""
    if importlib.util.find_spec("miniworld") is None:
        raise ScoutError(
            "sign-miniworld needs the real simulator: pip install 'scoutrl[miniworld]' (README: Miniworld)."
        )


def frames(poses: np.ndarray, colours: np.ndarray, height: int, width: int) -> np.ndarray:
    """What is seen, uint8 [n, height, width, 3], from poses [n, 9] with signs `colours` [n]."""
    parts = _spread(_frames, height, width, poses, colours)
    return np.concatenate(parts)


def steps(
    poses: np.ndarray, colours: np.ndarray, goals: np.ndarray, actions: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One step from each pose: the new x, z and heading [n, 3], rewards [n], ends [n] and frames."""
    parts = _spread(_steps, height, width, poses, colours, goals, actions)
    places, rewards, ends, pictures = (np.concatenate(part) for part in zip(*parts, strict=True))
    return places, rewards, ends, pictures


def _spread(work: Any, height: int, width: int, *arrays: np.ndarray) -> list[Any]:
    """`work` on a slice of the arrays in each process."""
    pool = _pool()
    cuts = np.array_split(np.arange(len(arrays[0])), min(_cores(), len(arrays[0])))
    futures = [pool.submit(work, height, width, *(array[cut] for array in arrays)) for cut in cuts]
    try:
        return [future.result() for future in futures]
    except Exception as error:
        raise ScoutError(
            f"Miniworld failed ({error}); README, Miniworld, says which system packages it needs."
        ) from error


@functools.cache
def _pool() -> ProcessPoolExecutor:
    pool = ProcessPoolExecutor(_cores(), mp_context=multiprocessing.get_context("spawn"))
    atexit.register(pool.shutdown, cancel_futures=True)
    return pool


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@functools.cache
def _world(colour: int, height: int, width: int) -> Any:
    """The world with one word on its sign."""
    # No window; one thread, as there is one process a core.
    os.environ.update(PYGLET_HEADLESS="1", LP_NUM_THREADS="0")
    with contextlib.redirect_stdout(io.StringIO()):
        from miniworld.envs.sign import Sign  # pyright: ignore[reportMissingImports]

        world = Sign(color_index=colour, obs_height=height, obs_width=width, max_episode_steps=1 << 30)
        world.reset(seed=0)
    return world


def _placed(colour: int, pose: np.ndarray, height: int, width: int) -> Any:
    world = _world(int(colour), height, width)
    x, z, heading, *headings = map(float, pose)
    world.agent.pos, world.agent.dir = np.array([x, 0.0, z]), heading
    for thing, turned in zip((thing for kind in world._objects for thing in kind), headings, strict=True):
        thing.dir = turned
    return world


def _frames(height: int, width: int, poses: np.ndarray, colours: np.ndarray) -> np.ndarray:
    return np.stack([_placed(c, pose, height, width).render_obs() for pose, c in zip(poses, colours, strict=True)])


def _steps(
    height: int, width: int, poses: np.ndarray, colours: np.ndarray, goals: np.ndarray, actions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    places, rewards, ends, pictures = [], [], [], []
    for pose, colour, goal, action in zip(poses, colours, goals, actions, strict=True):
        world = _placed(colour, pose, height, width)
        world._goal = int(goal)
        seen, reward, terminated, _, _ = world.step(int(action))
        places.append((world.agent.pos[0], world.agent.pos[2], world.agent.dir))
        rewards.append(reward)
        ends.append(terminated)
        pictures.append(seen["obs"])
    return np.array(places, np.float32), np.array(rewards, np.float32), np.array(ends, bool), np.stack(pictures)
