"""Several seeds at once on a CPU: one process per core, and a queue when there are more seeds than cores."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from scoutrl.engines.seed_process import SeedProcess, SeedRun, share_done
from scoutrl.errors import RunsFailedError
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted, StopSignals

_POLL = 0.1
"""Seconds between two looks at the workers."""
_LOOK = 1.0
"""Seconds between two looks at their metrics."""


def train_in_processes(which: Sequence[SeedRun], within: Path, show: bool) -> None:
    """Train each seed in a process of its own; all of them are as long. `within` is where they are, for messages.

    Raises:
        RunsFailedError: some seeds failed, each is named; the others have gone on to the end.
        Interrupted: SIGINT or SIGTERM, after all processes have saved.
    """
    seeds = [SeedProcess(seed) for seed in which]
    config = which[0].config
    with (
        StopSignals("the chunks that the seeds are in", show) as stop,
        ProgressBar(config, share_done(which), show) as display,
    ):
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


def _supervise(seeds: list[SeedProcess], stop: StopSignals, display: ProgressBar) -> None:
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


def _cores() -> list[int | None]:
    """The cores to use, one process each."""
    if hasattr(os, "sched_getaffinity"):
        return [*sorted(os.sched_getaffinity(0))]
    return [None] * (os.cpu_count() or 1)
