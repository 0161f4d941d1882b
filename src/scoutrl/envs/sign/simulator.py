"""The real Miniworld, in one process for each core."""

import atexit
import contextlib
import functools
import os
import pickle
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from scoutrl.errors import ScoutError

PROGRAM = Path(__file__).with_name("simulated.py")
"""What the processes run: a program that knows nothing of this package, so that nothing of the user's is run again."""
DEBIAN = "libegl1 libgl1 libglu1-mesa libfontconfig1"
"""System packages it needs."""


@functools.cache
def check() -> None:
    """Draw a frame, to see whether it works: later, in the midst of a compiled program, errors are hard to read.

    Raises:
        ScoutError: Miniworld or something it needs is not installed.
    """
    if find_spec("miniworld") is None:
        raise ScoutError(
            "sign-miniworld needs the real simulator: pip install 'scoutrl[miniworld]', and on Debian "
            f"apt-get install -y --no-install-recommends {DEBIAN}"
        )
    look(np.zeros((1, 9)), np.zeros(1, np.int32), 8, 8)


def look(poses: np.ndarray, colours: np.ndarray, height: int, width: int) -> np.ndarray:
    """What is seen, uint8 [n, height, width, 3], from poses [n, 9] with what signs `colours` [n] say.

    A pose is x, z and heading of the agent, then the headings of the objects.

    Raises:
        ScoutError: Miniworld cannot be started, or failed.
    """
    return np.concatenate(_spread("look", (height, width), poses, colours))


def step(
    poses: np.ndarray, colours: np.ndarray, goals: np.ndarray, actions: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One step from each pose: the new x, z and heading [n, 3], rewards [n], ends [n] and frames.

    Raises:
        ScoutError: Miniworld cannot be started, or failed.
    """
    parts = _spread("step", (height, width), poses, colours, goals, actions)
    places, rewards, ends, frames = (np.concatenate(part) for part in zip(*parts, strict=True))
    return places, rewards, ends, frames


_ONE_AT_A_TIME = threading.Lock()


def _spread(verb: str, size: tuple[int, int], *arrays: np.ndarray) -> list[Any]:
    """The answers of the processes, each asked about a slice of the arrays."""
    with _ONE_AT_A_TIME:
        processes = _processes()
        count = min(len(processes), len(arrays[0]))
        slices = zip(*(np.array_split(array, count) for array in arrays), strict=True)
        asked = [process for process, given in zip(processes, slices, strict=False) if _ask(process, verb, size, given)]
        answers = [_answer(process) for process in asked]
    failed = next((failure for failure, _ in answers if failure), None)
    if failed or len(answers) < count:
        _stop(processes)
        _processes.cache_clear()
        raise ScoutError(
            f"Miniworld failed ({failed or 'its process ended'}); on Debian it needs: "
            f"apt-get install -y --no-install-recommends {DEBIAN}"
        )
    return [found for _, found in answers]


@functools.cache
def _processes() -> list[subprocess.Popen]:
    """They also end when this process is killed: their stdin is closed then."""
    # -P: the modules beside the program must not hide those that it imports.
    command = [sys.executable, "-P", str(PROGRAM)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = [subprocess.Popen(command, **pipes) for _ in range(cores)]
    atexit.register(_stop, processes)
    return processes


def _stop(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        process.kill()
        with contextlib.suppress(BrokenPipeError):
            process.communicate()


def _ask(process: subprocess.Popen, verb: str, size: tuple[int, int], given: tuple[np.ndarray, ...]) -> bool:
    """Whether the process could be asked."""
    assert process.stdin is not None
    try:
        pickle.dump((verb, (size, *given)), process.stdin)
        process.stdin.flush()
    except BrokenPipeError:
        return False
    return True


def _answer(process: subprocess.Popen) -> tuple[str | None, Any]:
    """Why it failed, if it did, and what it found."""
    assert process.stdout is not None
    try:
        return pickle.load(process.stdout)
    except EOFError:
        return "its process ended", None
