"""A worker's process, as the parent sees it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from typing import final

from scoutrl.pool.worker import READY

_MUCH = 1_000_000
"""Bytes of what environments print that are kept."""


@final
class Process:
    """One worker: told what to do, asked how it went, ended at once."""

    def __init__(self, number: int, job: bytes, memory: int, slots: int, halves: list[list[int]]):
        """Start it; it gets ready by itself.

        Args:
            number: which of the workers it is.
            job: a pickled `Job`.
            memory: file descriptor of the shared arrays.
            slots: of them in all.
            halves: the slots of this worker, in each half.
        """
        self.number = number
        self.halves = halves
        self.pending: list[int] = []
        """The halves whose commands it has not answered yet, in their order."""
        self.ready = False
        """It has said that it can begin."""
        theirs, commands = os.pipe()
        answers, theirs_too = os.pipe()
        life, self._life = os.pipe()
        self._stderr = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (closed in `kill`)
        handed = (theirs, theirs_too, memory, life)
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "scoutrl.pool.worker", *map(str, handed)],
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
            pass_fds=handed,
            env=_environment(),
            process_group=0,  # Ctrl-C is for the parent
        )
        for descriptor in (theirs, theirs_too, life):
            os.close(descriptor)
        self._commands = Connection(commands, readable=False)
        self.answers = Connection(answers, writable=False)
        """To wait on."""
        self.tell(json.dumps({"path": sys.path, "slots": slots, "halves": halves}).encode())
        self.tell(job)

    def tell(self, command: bytes) -> None:
        """Send something; that it is gone is seen when its answer is asked for."""
        with contextlib.suppress(BrokenPipeError):
            self._commands.send_bytes(command)

    def answer(self) -> list[tuple[int, str]] | str:
        """What it answers: the slots that failed; or a text, why it cannot begin or is no more."""
        try:
            found = json.loads(self.answers.recv_bytes())
        except (EOFError, OSError):
            return self._last_words()
        if self.ready or found != READY:
            return found
        self.ready = True
        return []

    def kill(self) -> None:
        """End it at once."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        self._commands.close()
        self.answers.close()
        self._stderr.close()
        os.close(self._life)

    def forget_output(self) -> None:
        """Let go of what its environments have printed, if that is much."""
        if os.fstat(self._stderr.fileno()).st_size > _MUCH:
            self._stderr.truncate(0)
            os.lseek(self._stderr.fileno(), 0, os.SEEK_SET)  # the offset is the worker's, too

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(1.0)
        size = os.fstat(self._stderr.fileno()).st_size
        self._stderr.seek(max(0, size - _MUCH))
        lines = self._stderr.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"its process ended with code {self._popen.poll()}" + (f" ({said})" if said else "")


def _environment() -> dict[str, str]:
    """One thread each, no window, and no accelerator: that is the agent's."""
    ours = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "SDL_VIDEODRIVER": "dummy"}
    return {**ours, "PYGAME_HIDE_SUPPORT_PROMPT": "1", **os.environ, "JAX_PLATFORMS": "cpu"}
