"""What a machine of a Ray cluster does for one run: train it in a process, and report its run directory."""

import tempfile
import time
from pathlib import Path
from typing import Any

from ray import tune

from scoutrl.engines.seed_process import Command, SeedProcess, SeedRun
from scoutrl.engines.transport import snapshot
from scoutrl.runs.begun import CHECKPOINTS
from scoutrl.runs.checkpoint import newest_name
from scoutrl.runs.config import RunConfig
from scoutrl.runs.metrics import RETURN

FAILURE = "failure"
"""Metric of a run that cannot go on: why, in one line."""
_POLL = 0.2
"""Seconds between two looks at the process."""
_LOOK = 1.0
"""Seconds between two looks at what it has written."""
_SHOWN = ("env_steps", "seconds", "steps_per_second", "updates_per_second", RETURN)


def train_on_node(config: dict[str, Any]) -> None:
    """Train one run to its end, from where it was left off: Tune's trainable.

    The process is that of several seeds on one machine, so that the numbers are the same. Each of its checkpoints is
    reported with the whole run directory; when this machine is lost, Tune starts again elsewhere from the last one.

    Args:
        config: in `run`, `config` (as JSON), `label`, `argv` and `path` of the command, `start` (a checkpoint or None).
    """
    request = config["run"]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / request["name"]
        start = tune.get_checkpoint() or request["start"]
        if start is not None:
            start.to_directory(str(out))
        seed = SeedRun(RunConfig.from_json(request["config"]), out, request["label"])
        process = SeedProcess(seed, Command(request["argv"], request["path"]))
        process.start(None)
        try:
            _supervise(process, Path(scratch) / "snapshot")
        finally:
            process.kill()


def _supervise(process: SeedProcess, copied: Path) -> None:
    """Report until the process has ended, and then its last state.

    Raises:
        RuntimeError: it ended otherwise than by itself; Tune tries again.
    """
    run = process.of.out
    saved, look_at = newest_name(run / CHECKPOINTS), 0.0
    while not process.ended():
        time.sleep(_POLL)
        if time.monotonic() < look_at:
            continue
        look_at = time.monotonic() + _LOOK
        now = newest_name(run / CHECKPOINTS)
        if now != saved and snapshot(run, copied):
            saved = now
            tune.report(_shown(process), checkpoint=tune.Checkpoint.from_directory(str(copied)))
        else:
            tune.report(_shown(process))
    if process.stopped or (process.failure is not None and not process.by_itself):
        raise RuntimeError(process.failure or "the training process was stopped by a signal.")
    last = _shown(process) | ({} if process.failure is None else {FAILURE: process.failure})
    kept = snapshot(run, copied)
    tune.report(last, checkpoint=tune.Checkpoint.from_directory(str(copied)) if kept else None)


def _shown(process: SeedProcess) -> dict[str, Any]:
    row = process.row()
    return {name: row[name] for name in _SHOWN if name in row}
