"""A pool of workers that step environments in two halves: while one half is stepped, an agent acts for the other."""

import os
import select
from typing import final

import cloudpickle
import numpy as np

from scoutrl.errors import ScoutError
from scoutrl.pool.job import Job
from scoutrl.pool.process import Process
from scoutrl.pool.shared import arrays_in, new_memory
from scoutrl.pool.worker import RESET, STEP

HALVES = 2
"""How many parts the environments are in, which are stepped in turn."""
_START = 120.0
"""Seconds that a worker may take to begin."""


@final
class Pool:
    """`HALVES` times `size` slots, each with an environment in one of the workers."""

    def __init__(self, job: Job, size: int, workers: int, patience: float):
        """Start workers, which make environments when these are first reset.

        Args:
            job: how environments are made and read.
            size: slots of a half.
            workers: processes, at most as many as there are slots in a half.
            patience: seconds that one environment may take to be made, reset or stepped before it counts as hanging.

        Raises:
            ScoutError: the job cannot be handed to other processes.
        """
        self.size = size
        """Slots of a half."""
        self.restarts = 0
        """Workers and environments that failed and were made again, since the pool began."""
        self._patience, self._slots = patience, HALVES * size
        self._job = _pickled(job)
        fields = job.fields(self._slots)
        self._memory = new_memory(fields)
        self._arrays = arrays_in(self._memory, fields)
        count = max(1, min(workers, size))
        # In turn, so that all have something to do where fewer trials are played than there are slots.
        shares = [np.arange(i, size, count) for i in range(count)]
        self._places = shares
        """The slots of each worker within a half."""
        self._shares = [[(half * size + share).tolist() for half in range(HALVES)] for share in shares]
        self._processes = [self._started(number) for number in range(count)]

    def of(self, name: str, half: int) -> np.ndarray:
        """The shared array of that name, as far as it belongs to one half: [size, …], to be read and written."""
        return self._arrays[name][half * self.size : (half + 1) * self.size]

    def has(self, name: str) -> bool:
        """Whether there is a shared array of that name."""
        return name in self._arrays

    def reset(self, half: int) -> None:
        """Begin to reset the slots that are "active", to the problem in "row" with "seed"."""
        self._tell(RESET, half)

    def step(self, half: int) -> None:
        """Begin to step the slots that are "active" with "action"."""
        self._tell(STEP, half)

    def wait(self, half: int) -> dict[int, str]:
        """Wait until a half is done; the slots of any half that were lost meanwhile, with the reason.

        A slot of another half is lost where its worker is. What was lost has to be reset.
        """
        lost: dict[int, str] = {}
        while waiting := [process for process in self._processes if half in process.pending]:
            before = [self._beats(process) for process in waiting]
            patience = self._patience + (0 if all(process.ready for process in waiting) else _START)
            heard = _heard_from(waiting, patience)
            for process, beats in zip(waiting, before, strict=True):
                if process in heard:
                    lost |= self._heard(process)
                elif not heard and self._beats(process) == beats:
                    lost |= self._rebuilt(process, f"it did not answer within {self._patience:g} seconds")
        return lost

    def close(self) -> None:
        """End all workers."""
        for process in self._processes:
            process.kill()
        if self._processes:
            os.close(self._memory)
        self._processes = []

    def _tell(self, command: bytes, half: int) -> None:
        active = self.of("active", half)
        for process in self._processes:
            if active[self._places[process.number]].any():
                process.forget_output()
                process.tell(command + str(half).encode())
                process.pending.append(half)

    def _beats(self, process: Process) -> int:
        """How much a worker has done: each environment that was reset or stepped counts."""
        return sum(int(self._arrays["beat"][slots].sum()) for slots in process.halves)

    def _heard(self, process: Process) -> dict[int, str]:
        was_ready = process.ready
        answer = process.answer()
        if isinstance(answer, str):
            if not was_ready and not answer.startswith("its process"):
                raise ScoutError(f"make cannot be loaded by a worker process: {answer}")
            return self._rebuilt(process, answer)
        if was_ready:
            process.pending.pop(0)
        self.restarts += len(answer)
        return dict(answer)

    def _rebuilt(self, process: Process, reason: str) -> dict[int, str]:
        """Start another worker in place of one; what is lost with it."""
        process.kill()
        self.restarts += 1
        self._processes[process.number] = self._started(process.number)
        return {slot: reason for slots in process.halves for slot in slots}

    def _started(self, number: int) -> Process:
        return Process(number, self._job, self._memory, self._slots, self._shares[number])


def _heard_from(processes: list[Process], seconds: float) -> list[Process]:
    """Those that have answered or are gone, once there is one; none after so many seconds."""
    # `multiprocessing.connection.wait` makes a selector each time, which takes longer than many environments do.
    poll = select.poll()
    for process in processes:
        poll.register(process.answers.fileno(), select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(1000 * seconds)}
    return [process for process in processes if process.answers.fileno() in ready]


def _pickled(job: Job) -> bytes:
    try:
        return cloudpickle.dumps(job)
    except Exception as error:  # whatever objects of the user's say when they are pickled
        raise ScoutError(
            f"make cannot be handed to worker processes ({type(error).__name__}: {' '.join(str(error).split())}): let "
            "it make what it needs, in place of using objects that exist in one process only."
        ) from error
