"""A worker: makes, resets and steps environments as it is told. Run as `python -m scoutrl.pool.worker`.

It imports no JAX by itself. Where the user's own module does, it computes on the CPU.
"""

import collections
import contextlib
import json
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, final

import numpy as np

from scoutrl.pool.job import Job
from scoutrl.pool.shared import arrays_in

RESET, STEP = b"r", b"s"
"""Commands; the number of the half follows."""
READY = "ready"
"""What a worker answers when it can begin."""


@final
class Shelf:
    """Environments that were used lately, by the row of their problem: making one may take seconds."""

    def __init__(self, job: Job, most: int):
        self._job, self._most = job, most
        self._idle: collections.OrderedDict[int, list[Any]] = collections.OrderedDict()

    def take(self, row: int) -> Any:
        """An environment of that problem, which nobody else has."""
        row = 0 if self._job.by_reset else row
        if waiting := self._idle.get(row):
            env = waiting.pop()
            if not waiting:
                del self._idle[row]
            return env
        return self._job.new(row)

    def put(self, row: int, env: Any) -> None:
        """Give one back; where there are too many, the one that was not used for longest is closed."""
        row = 0 if self._job.by_reset else row
        self._idle.setdefault(row, []).append(env)
        self._idle.move_to_end(row)
        if sum(map(len, self._idle.values())) > self._most:
            oldest = next(iter(self._idle))
            close(self._idle[oldest].pop(0))
            if not self._idle[oldest]:
                del self._idle[oldest]


@final
class Worker:
    """The environments of one worker, in the slots that it looks after."""

    def __init__(self, job: Job, arrays: dict[str, np.ndarray], halves: list[list[int]]):
        self._job, self._arrays, self._halves = job, arrays, halves
        self._shelf = Shelf(job, 2 * sum(map(len, halves)))
        self._held: dict[int, tuple[int, Any]] = {}
        self._home = os.getcwd()
        self._actions, self._seen, self._rewards = (arrays[name] for name in ("action", "observation", "reward"))
        self._terminated, self._truncated, self._beats = (arrays[name] for name in ("terminated", "truncated", "beat"))

    def do(self, command: bytes) -> list[tuple[int, str]]:
        """Carry out a command; the slots in which something failed, and what."""
        act = {RESET: self._reset, STEP: self._step}[command[:1]]
        active, slots = self._arrays["active"], self._halves[int(command[1:])]
        if act == self._reset:
            # One problem after the other: some environments share what is costly to change, such as a world to draw.
            slots.sort(key=self._arrays["row"].__getitem__)
        return [failure for slot in slots if active[slot] for failure in self._tried(act, slot)]

    def _tried(self, act: Callable[[int], None], slot: int) -> list[tuple[int, str]]:
        try:
            act(slot)
        except BaseException as error:  # whatever the user's code does: sys.exit as well
            _, env = self._held.pop(slot, (0, None))
            close(env)
            return [(slot, f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}")]
        finally:
            self._beats[slot] += 1  # by which the parent tells slow environments from one that hangs
        return []

    def _reset(self, slot: int) -> None:
        os.chdir(self._home)  # an environment may have gone elsewhere
        row = int(self._arrays["row"][slot])
        if slot in self._held and self._held[slot][0] != row:
            self._shelf.put(*self._held.pop(slot))
        if slot not in self._held:
            self._held[slot] = row, self._shelf.take(row)
        seen, goal = self._job.reset(self._held[slot][1], row, int(self._arrays["seed"][slot]))
        self._seen[slot] = seen
        if goal is not None:
            self._arrays["goal"][slot] = goal

    def _step(self, slot: int) -> None:
        seen, reward, terminated, truncated = self._job.step(self._held[slot][1], self._actions[slot])
        self._seen[slot], self._rewards[slot] = seen, reward
        self._terminated[slot], self._truncated[slot] = terminated, truncated


def close(env: Any) -> None:
    """Close an environment, whatever it says."""
    with contextlib.suppress(BaseException):
        env.close()


def main() -> None:
    """Serve until the parent process is gone, or says no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    os.dup2(2, 1)  # what environments print is no result
    commands, answers, memory, life = (int(word) for word in sys.argv[1:])
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    told, answer = Connection(commands, writable=False), Connection(answers, readable=False)
    code = 0
    try:
        with contextlib.suppress(EOFError):
            _serve(told, answer, memory)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)  # nothing of an environment's own may hold it up


def _serve(told: Connection, answer: Connection, memory: int) -> None:
    request = json.loads(told.recv_bytes())
    sys.path.extend(entry for entry in request["path"] if entry not in sys.path)
    try:
        job: Job = pickle.loads(told.recv_bytes())
    except BaseException as error:
        answer.send_bytes(json.dumps(f"{type(error).__name__}: {error}").encode())
        return
    slots = request["slots"]
    worker = Worker(job, arrays_in(memory, job.fields(slots)), request["halves"])
    answer.send_bytes(json.dumps(READY).encode())
    while True:
        failures = worker.do(told.recv_bytes())
        answer.send_bytes(json.dumps(failures).encode() if failures else b"[]")


def _end_with_parent(life: int) -> None:
    os.read(life, 1)  # returns when nobody holds the other end any more
    os._exit(1)


if __name__ == "__main__":
    main()
