"""What one seed leaves on disk: its directory, configuration, metrics, checkpoints, and the counters behind them."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import SupportsFloat

import numpy as np

from scoutrl.algorithms.base import Algorithm
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.runs import checkpoint
from scoutrl.runs.begun import CHECKPOINTS, has_work, to_continue
from scoutrl.runs.config import BESIDES, RunConfig, completed
from scoutrl.runs.files import read_text, writing
from scoutrl.runs.metrics import RETURN, MetricsLog, drop_after, newest
from scoutrl.runs.run_dir import CONFIG, RUN, RunDirectory, check_format, refuse_other
from scoutrl.runs.trackers import Listener
from scoutrl.runs.until import is_held, read_returns

TO_GO_ON = ("training", "replay")
"""The parts of a checkpoint that a run goes on from."""
_COUNTERS = ("iteration", "env_steps", "updates", "seconds")


class RunRecord:
    """The record of one seed: opened at its last checkpoint, closed by leaving the `with` block."""

    def __init__(self, config: RunConfig, out: Path, algorithm: Algorithm, listener: Listener | None = None):
        """Open `out`, a new directory or one of the same run; `listener` is told each row of metrics.

        Raises:
            ScoutError: the directory is another run's, is in use, or holds no checkpoint that is whole.
        """
        self.config = config
        self.iteration = 0
        """Iterations done so far."""
        self.env_steps = 0
        """Environment steps lived so far."""
        self.updates = 0
        """Gradient steps done so far."""
        self.seconds = 0.0
        """Wall-clock spent in training so far, without compilation."""
        self.evaluation_due = False
        """The newest row wants an evaluation."""
        self.failure: ScoutError | None = None
        """Why this seed cannot go on; None as long as it can."""
        self.returns: list[float] = []
        """Returns of the evaluations so far, those that decide whether `config.until` is held."""
        self.parts: checkpoint.Parts | None = None
        """The parts `TO_GO_ON` of the checkpoint, until `open_log`; None in a run that begins or is finished."""
        self._algorithm, self._listener = algorithm, listener
        self._directory = RunDirectory(out)
        self._log: MetricsLog | None = None
        self._saved = -1
        try:
            self._refuse_other()
            self._refuse_lost()
            saved = checkpoint.load(out / CHECKPOINTS, config.identity(), TO_GO_ON)
            if saved is not None:
                self.parts, self._saved = saved.parts, int(saved.counters["iteration"])
                for name in _COUNTERS:
                    setattr(self, name, saved.counters[name])
                self.returns = read_returns(out, self.iteration) if config.until is not None else []
            if self.finished:
                self.parts = None
            else:
                self._directory.write_config(self.config.to_json())
        except BaseException:
            self._directory.close()
            raise

    def __enter__(self) -> "RunRecord":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._log is not None:
                self._log.close()
        finally:
            self._directory.close()

    @property
    def path(self) -> Path:
        """The run directory."""
        return self._directory.path

    @property
    def finished(self) -> bool:
        """All steps, or all seconds, asked for are done, or the return to stop at is held."""
        return self.share >= 1 or self.held

    @property
    def held(self) -> bool:
        """The return to stop at, if there is one, has been reached and held."""
        return is_held(self.returns, self.config.until)

    @property
    def share(self) -> float:
        """How much of the run is done, 0 … 1 and a little more."""
        return self.config.share(self.env_steps, self.seconds)

    @property
    def begun(self) -> bool:
        """There is a checkpoint to go on from."""
        return self._saved >= 0

    @property
    def unsaved(self) -> bool:
        """Something was done since the last checkpoint."""
        return self._saved != self.iteration

    def open_log(self) -> None:
        """Begin to write metrics after the checkpoint; rows beyond it are dropped, they will be written again."""
        self.parts = None
        self._directory.check()
        with writing(self.path):
            # Before any row: where there are rows and no such directory, checkpoints were lost.
            (self.path / CHECKPOINTS).mkdir(exist_ok=True)
        drop_after(self.path, self.iteration)
        self._log = MetricsLog(self.path, self.env_steps, self.config.track, self._listener, asdict(self.config))

    def count(
        self, env_steps: int, metrics: Mapping[str, SupportsFloat], chunk_seconds: float, row_seconds: float
    ) -> dict[str, float]:
        """Take in what a chunk reported; `evaluation_due` then says whether the row wants an evaluation.

        Args:
            env_steps: environment steps of the chunk.
            metrics: of the chunk.
            chunk_seconds: time of the chunk alone, for the speeds.
            row_seconds: time since the row before.

        Returns:
            The row of metrics.
        """
        updates = self.config.iterations * self._algorithm.updates_per_iteration
        first, before = self.env_steps == 0, self.share
        self.env_steps += env_steps
        self.iteration += self.config.iterations
        self.updates += updates
        self.seconds += row_seconds
        evaluations = self.config.evaluations
        self.evaluation_due = first or int(self.share * evaluations) > int(before * evaluations)
        counters = {name: getattr(self, name) for name in _COUNTERS}
        speeds = {"steps_per_second": env_steps / chunk_seconds, "updates_per_second": updates / chunk_seconds}
        return counters | speeds | {name: float(value) for name, value in metrics.items()}

    def write(self, row: dict[str, float], finite: np.ndarray, finite_at_start: np.ndarray, fault: str = "") -> None:
        """Append a row of metrics, or note a failure: a fault of the family, or an infinity or NaN in row or state.

        Args:
            row: of the chunk.
            finite: for each array of the state, whether it is all finite.
            finite_at_start: the same before training. What was not finite then, as a least value so far, may stay so.
            fault: what the family did wrong; empty: nothing.

        Raises:
            ScoutError: the disk is full or refuses.
        """
        assert self._log is not None
        wrong = [name for name, value in row.items() if not np.isfinite(value)]
        if not wrong and not np.all(finite | ~finite_at_start):
            wrong = ["a weight"]
        if not wrong and not fault:
            self._directory.check()
            self._log.append(row)
            self.returns += [row[RETURN]] if RETURN in row else []
            return
        what = fault or f"{wrong[0]} became infinite or not a number"
        advice = "Mend the family; the same command then goes on." if fault else "Try a smaller learning rate."
        kept = "the last good checkpoint is kept" if self.begun else "no checkpoint was made yet"
        self.failure = ScoutError(
            f"{what} within {self.env_steps:,} steps, so training has stopped; {kept} in {self.path}. {advice}"
        )

    def save(self, parts: checkpoint.Parts) -> None:
        """Write a checkpoint of what was done so far.

        Raises:
            ScoutError: the disk is full or refuses, or the directory is no longer this process's alone; the last good
                checkpoint is kept.
        """
        self._directory.check()
        checkpoint.refuse_others(self.path / CHECKPOINTS, self.config.identity())
        counters = {name: getattr(self, name) for name in _COUNTERS}
        checkpoint.save(self.path / CHECKPOINTS, self.iteration, parts, self.config.identity(), counters)
        self._saved = self.iteration

    def _refuse_other(self) -> None:
        there = self._directory.read_config()
        if there is None or not to_continue(self.path, there, RUN):
            return
        check_format(there, self.path)
        there = {name: value for name, value in there.items() if name not in BESIDES}
        refuse_other(self.path, completed(there, self.config.identity()), self.config.identity())

    def _refuse_lost(self) -> None:
        """Refuse to begin anew where the checkpoints were lost."""
        if not checkpoint.finished(self.path / CHECKPOINTS) and has_work(self.path):
            raise ScoutError(
                f"{self.path} holds metrics of {int(newest(self.path).get('env_steps', 0)):,} steps and no checkpoint "
                f"to go on from; put its {CHECKPOINTS} back, or name another directory with --out DIR."
            )


def is_finished(config: RunConfig, out: Path) -> bool:
    """Whether the run directory `out` holds this run with nothing left to do; False also where that is unclear."""
    try:
        row = newest(out)
        # Quick to see of most runs: neither at their end nor in danger of an early one.
        if not row or (config.until is None and config.share(row["env_steps"], row.get("seconds", 0.0)) < 1):
            return False
        mine = RunConfig.from_json(read_text(out / CONFIG)).identity() == config.identity()
        # The last row may have been written and its checkpoint not.
        saved = checkpoint.load(out / CHECKPOINTS, config.identity(), []) if mine else None
        if saved is None:
            return False
        done = config.share(saved.counters["env_steps"], saved.counters["seconds"]) >= 1
        return done or is_held(read_returns(out, int(saved.counters["iteration"])), config.until)
    except (OSError, UnicodeDecodeError, ScoutError):
        return False


def print_status(message: str) -> None:
    """One line to the user; stdout is kept for results."""
    tell(message)
