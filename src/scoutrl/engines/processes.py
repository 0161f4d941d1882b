"""Several seeds at once on a CPU: one process per core, and a queue when there are more seeds than cores."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from scoutrl.errors import RunsFailedError
from scoutrl.runs.config import RunConfig
from scoutrl.runs.metrics import newest
from scoutrl.runs.record import print_status
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted, StopSignals

_POLL = 0.1
"""Seconds between two looks at the workers."""
_LOOK = 1.0
"""Seconds between two looks at their metrics."""
_IDLE = {"env_steps": 0, "seconds": 0.0, "steps_per_second": 0.0, "updates_per_second": 0.0}


@dataclasses.dataclass(frozen=True)
class SeedRun:
    """One seed to train."""

    config: RunConfig
    """What to train."""
    out: Path
    """Its run directory."""
    label: str = ""
    """What it is a seed of, where there are several such things."""

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.label} seed {self.config.seed}".strip()


def train_in_processes(which: Sequence[SeedRun], within: Path, show: bool) -> None:
    """Train each seed in a process of its own; all of them are as long. `within` is where they are, for messages.

    Raises:
        RunsFailedError: some seeds failed, each is named; the others have gone on to the end.
        Interrupted: SIGINT or SIGTERM, after all processes have saved.
    """
    seeds = [_Process(seed) for seed in which]
    config = which[0].config
    rows = [process.row() for process in seeds]
    done = sum(config.share(row["env_steps"], row["seconds"]) for row in rows) / len(rows)
    with StopSignals("the chunks that the seeds are in", show) as stop, ProgressBar(config, done, show) as display:
        try:
            _supervise(seeds, stop, display)
        finally:
            for seed in seeds:
                seed.kill()
    failed = [(seed.of, seed.failure) for seed in seeds if seed.failure is not None]
    if stop.received and any(seed.stopped for seed in seeds):
        raise Interrupted(f"Stopped and saved in {within}; the same command goes on from there.", stop.received)
    if failed:
        said = " ".join(f"{seed.name}: {failure}" for seed, failure in failed)
        message = f"{len(failed)} of {len(seeds)} seeds failed. {said}"
        raise RunsFailedError(message, {seed.out: failure for seed, failure in failed})


def _supervise(seeds: list["_Process"], stop: StopSignals, display: ProgressBar) -> None:
    """Keep every core at work until all seeds have ended, or after a signal all that were running."""
    waiting, running, told, look_at = list(seeds), [], False, time.monotonic() + _LOOK
    labels = [seed.of.label for seed in seeds]
    while running or (waiting and not stop.received):
        if stop.received and not told:
            told = True
            for seed in running:
                seed.stop(stop.received)
        free = _cores()
        for seed in running:
            free.remove(seed.core)
        while waiting and free and not stop.received:
            running.append(waiting.pop(0))
            running[-1].start(free.pop(0))
        time.sleep(_POLL)
        running = [seed for seed in running if not seed.ended()]
        if time.monotonic() > look_at:
            look_at = time.monotonic() + _LOOK
            display.update([seed.row() for seed in seeds], labels)
    display.update([seed.row() for seed in seeds], labels)


class _Process:
    """One seed and, once started, its process."""

    def __init__(self, of: SeedRun):
        self.of = of
        self.failure: str | None = None
        """Why it failed, in one line."""
        self.stopped = True
        """It has not come to its end: not started, or stopped by a signal."""
        self.core: int | None = None
        """The core its process runs on; None for any."""
        self._process: subprocess.Popen | None = None
        self._last: dict[str, float] = {}
        self._stderr: IO[str] | None = None

    def start(self, core: int | None) -> None:
        """Start the process, on one core only where the system can do that."""
        self.core = core
        self._stderr = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (closed in `ended`)
        config, path = self.of.config.to_json(), sys.path
        request = {"config": config, "out": str(self.of.out), "core": core, "path": path, "argv": sys.argv}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scoutrl.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            text=True,
            # Ctrl-C is for this process, which passes it on.
            process_group=0,
        )
        pipe = self._process.stdin
        assert pipe is not None
        # Its stdin stays open: that it ends tells the worker that this process is gone.
        with contextlib.suppress(BrokenPipeError):
            pipe.write(json.dumps(request) + "\n")
            pipe.flush()

    def ended(self) -> bool:
        """Whether the process is gone; if so, what it leaves behind has been noted."""
        assert self._process is not None
        code = self._process.poll()
        if code is None:
            return False
        assert self._process.stdin is not None
        assert self._stderr is not None
        self._process.stdin.close()
        self._last = self.row()
        self.stopped = code in (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM)
        self._stderr.seek(0)
        lines = self._stderr.read().splitlines()
        self._stderr.close()
        if code != 0 and not self.stopped:
            said = lines.pop() if code == 2 and lines else " ".join(lines[-1:])
            self.failure = said if code > 0 and said else f"its process ended with code {code}."
        for line in lines:
            print_status(f"{self.of.name}: {line}")
        return True

    def stop(self, signum: int) -> None:
        """Pass a signal on."""
        assert self._process is not None
        self._process.send_signal(signum)

    def kill(self) -> None:
        """End the process, if there still is one, at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def row(self) -> dict[str, float]:
        """The newest metrics; the speeds are 0 where nothing runs."""
        if self._last:
            return self._last
        runs = self._process is not None and self._process.poll() is None
        return _IDLE | newest(self.of.out) | ({} if runs else {"steps_per_second": 0.0, "updates_per_second": 0.0})


def _cores() -> list[int | None]:
    """The cores to use, one process each."""
    if hasattr(os, "sched_getaffinity"):
        return [*sorted(os.sched_getaffinity(0))]
    return [None] * (os.cpu_count() or 1)
