"""The real Miniworld, run as a program of its own by `simulator.py`: put into states, looked at, stepped.

Nothing of Scout is imported here: JAX would take each process seconds to load, and memory.
"""

import functools
import os
import pickle
import signal
import sys
from typing import Any

import numpy as np

Size = tuple[int, int]
"""Height and width of the images."""


def look(size: Size, poses: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """What is seen, uint8 [n, height, width, 3], from poses [n, 9] with what signs `colours` [n] say."""
    frames = np.zeros((len(poses), *size, 3), np.uint8)
    for row in np.argsort(colours, kind="stable"):
        frames[row] = _placed(size, poses[row], int(colours[row])).render_obs()
    return frames


def step(
    size: Size, poses: np.ndarray, colours: np.ndarray, goals: np.ndarray, actions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One step from each pose: the new x, z and heading [n, 3], rewards [n], ends [n] and frames."""
    places, rewards = np.zeros((len(poses), 3)), np.zeros(len(poses), np.float32)
    ends, frames = np.zeros(len(poses), bool), np.zeros((len(poses), *size, 3), np.uint8)
    for row in np.argsort(colours, kind="stable"):
        world = _placed(size, poses[row], int(colours[row]))
        world._goal = int(goals[row])
        seen, rewards[row], ends[row], _, _ = world.step(int(actions[row]))
        places[row] = world.agent.pos[0], world.agent.pos[2], world.agent.dir
        frames[row] = seen["obs"]
    return places, rewards, ends, frames


@functools.cache
def _world(size: Size, colour: int) -> Any:
    """The world with one word on its sign."""
    from miniworld.envs.sign import Sign  # pyright: ignore[reportMissingImports]

    world = Sign(color_index=colour, obs_height=size[0], obs_width=size[1], max_episode_steps=1 << 30)
    world.reset(seed=0)
    return world


@functools.lru_cache(maxsize=1)
def _readied(size: Size, colour: int) -> Any:
    """The world, ready to be drawn: OpenGL keeps what never moves, the sign too, in one list for all worlds."""
    world = _world(size, colour)
    world.shadow_window.switch_to()
    world._render_static()
    return world


def _placed(size: Size, pose: np.ndarray, colour: int) -> Any:
    """The world with agent and objects as `pose` says: x, z and heading, then the headings of boxes and keys."""
    world = _readied(size, colour)
    x, z, heading, *headings = map(float, pose)
    world.agent.pos, world.agent.dir = np.array([x, 0.0, z]), heading
    for thing, turned in zip((thing for kind in world._objects for thing in kind), headings, strict=True):
        thing.dir = turned
    return world


def main() -> None:
    """Answer what is asked on stdin, until it is closed."""
    # Whoever started this decides what an interrupt means; it ends when that one does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # No window; one thread, as there is one process a core.
    os.environ.update(PYGLET_HEADLESS="1", LP_NUM_THREADS="0")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What Miniworld prints is no answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    verbs = {verb.__name__: verb for verb in (look, step)}
    while True:
        try:
            verb, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = None, verbs[verb](*arguments)
        except Exception as error:  # whatever the simulator or its drivers raise is for people to read
            answer = f"{type(error).__name__}: {' '.join(str(error).split())}", None
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
