"""Training: a host loop over chunks of iterations."""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scoutrl._platform import accelerator, compute_in_own_thread, on_this_machine, split_processor
from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import Spec
from scoutrl.errors import RunsFailedError
from scoutrl.evaluation.evaluate import Measure
from scoutrl.runs import metrics
from scoutrl.runs.config import RunConfig, make_algorithm, make_env
from scoutrl.runs.provenance import Provenance, note_provenance
from scoutrl.runs.record import RunRecord, print_status
from scoutrl.runs.trackers import Listener
from scoutrl.training.compilation import note_how_long, use_compilation_cache
from scoutrl.training.following import begin, follow
from scoutrl.training.memory import check_memory
from scoutrl.training.program import TrainingProgram
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.shards import check_shards
from scoutrl.training.signals import Interrupted, StopSignals
from scoutrl.training.state import TrainingState, arrays_of, finite, from_parts, join
from scoutrl.training.team import ALONE, Team
from scoutrl.trials.sampler import sampler_for

SAVE_EVERY = 15.0
"""Seconds between two checkpoints, at least."""
_SAVE_SHARE = 0.03
"""Most of the time that checkpoints may take."""


def train(
    config: RunConfig,
    out: str | Path,
    env: Spec | None = None,
    show: bool = True,
    listener: Listener | None = None,
    team: Team = ALONE,
) -> Path:
    """Train one seed, or go on with it, until the steps of `config`, or its seconds if it says any, are done.

    It stops sooner where the return `config.until` is held (`runs.until`).

    Args:
        config: what to train.
        out: run directory; if it holds this very run, that is continued.
        env: the family as an object; None makes it from `config`.
        show: tell on stderr how far it is.
        listener: a function that is told each row of metrics.
        team: the processes that train it together; the first of them alone writes and shows anything.

    Returns:
        The run directory.

    Raises:
        ScoutError: the directory is another run's or in use, the disk is full, a loss is no longer finite, or a process
            of the team is gone.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    split_processor(config.settings.get("shards", 1))
    if config.policy_lag:
        compute_in_own_thread()
    return train_together([config], [Path(out)], env, show, listener=listener, team=team)[0]


@on_this_machine()
def train_together(
    configs: Sequence[RunConfig],
    outs: Sequence[Path],
    env: Spec | None = None,
    show: bool = True,
    measure: Measure | None = None,
    listener: Listener | None = None,
    team: Team = ALONE,
) -> list[Path]:
    """Train configurations that differ in their seed only, in one program; otherwise as `train`.

    What `measure` says of the trials of an evaluation is noted in the metrics beside their return, as
    `validation_NAME`.
    """
    use_compilation_cache()
    env = env if env is not None else make_env(configs[0])
    algorithm = make_algorithm(configs[0])
    check_shards(algorithm.shards, env, len(configs), show, team.processes)
    memory = check_memory(env, algorithm, configs[0], len(configs), show)
    if not team.leads:
        follow(team, configs[0], env, algorithm, show)
        return list(outs)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopSignals("compiling", show))
        team.heed(stop)
        records = [
            stack.enter_context(RunRecord(c, o, algorithm, listener)) for c, o in zip(configs, outs, strict=True)
        ]
        for record in records:
            if record.finished:
                print_status(_how_it_finished(record))
        going = [record for record in records if not record.finished]
        if going:
            config = configs[0]
            sampler = stack.enter_context(contextlib.closing(sampler_for(env)))
            lengths = config.iterations, config.evaluation_trials
            programs = TrainingProgram(sampler, algorithm, len(going), *lengths, measure, config.policy_lag, team)
            done = sum(record.share for record in going) / len(going)
            display = stack.enter_context(ProgressBar(config, done, show, memory))
            _Training(env, algorithm, programs, going, team, stop, display).run()
    # After the bar, in whose line they would be.
    for record in going:
        if record.held and record.failure is None:
            print_status(_how_it_finished(record))
    _raise_failures(records)
    return [record.path for record in records]


class _Training:
    """The loop, from the first compilation to the last checkpoint."""

    def __init__(
        self,
        env: Spec,
        algorithm: Algorithm,
        programs: TrainingProgram,
        records: list[RunRecord],
        team: Team,
        stop: StopSignals,
        display: ProgressBar,
    ):
        self._env, self._algorithm = env, algorithm
        self._programs = programs
        self._records = records
        self._team = team
        self._stop = stop
        self._display = display
        self._row_at = self._save_at = 0.0
        self._finite_at_start = []
        self._compile_seconds = {}

    def run(self) -> None:
        """Until every seed is finished or has failed."""
        fresh = not all(record.begun for record in self._records)
        begin(self._team, self._records[0].config)
        self._programs.compile(metrics.warm_up)
        states = self._begin()
        self._finite_at_start = [finite(state) for state in states]
        progress = self._programs.spread(join(states))
        del states
        self._compile_seconds = {"compile_seconds": self._programs.compile_seconds}
        note_how_long(self._records[0].config, self._programs.compile_seconds)
        now = Provenance.now(accelerator())
        for record in self._records:
            record.open_log()
            note_provenance(record.path, record.env_steps, now)
        self._display.begin()
        self._stop.until = "this chunk"
        self._row_at = time.perf_counter()
        # A fresh run saves after its first chunk, so that a short one has a checkpoint to go back to as well.
        self._save_at = self._row_at + (0.0 if fresh else SAVE_EVERY)
        while going := self._going():
            if signum := self._stop.received or self._team.signum:
                self._save(progress, going)
                raise Interrupted(self._how_to_go_on(going), signum)
            progress = self._advance(progress, going)

    def _going(self) -> list[int]:
        """Which seeds are neither finished nor failed."""
        return [i for i, record in enumerate(self._records) if not record.finished and record.failure is None]

    def _begin(self) -> list[TrainingState]:
        """Each seed's state: fresh, or from its checkpoint."""
        return [
            self._programs.begin(record.config.seed)
            if record.parts is None
            else arrays_of(from_parts(self._env, self._algorithm, record.parts, self._programs.pending))
            for record in self._records
        ]

    def _advance(self, progress: TrainingState, going: list[int]) -> TrainingState:
        """One chunk, and all that is to be noted of it for the seeds in `going`."""
        began = time.perf_counter()
        progress, reports = self._programs.advance(progress)
        now = time.perf_counter()
        chunk_seconds, row_seconds, self._row_at = now - began, now - self._row_at, now
        rows = {
            i: self._records[i].count(int(reports[i].env_steps), reports[i].metrics, chunk_seconds, row_seconds)
            for i in going
        }
        family, noted = self._env.title, self._programs.report()
        faults = {i: reports[i].fault.describe(family) for i in going}
        if due := [i for i in going if self._records[i].evaluation_due]:
            evaluated = self._programs.evaluate(progress)
            for i in due:
                scores, fault = evaluated[i]
                rows[i], faults[i] = rows[i] | scores, faults[i] or fault.describe(family)
        for i, row in rows.items():
            finite = np.asarray(reports[i].finite), self._finite_at_start[i]
            self._records[i].write(row | noted | self._compile_seconds, *finite, faults[i])
        self._compile_seconds = {}
        late = time.perf_counter() > self._save_at
        self._save(progress, [i for i in going if late or self._records[i].finished])
        self._display.update(list(rows.values()))
        return progress

    def _save(self, progress: TrainingState, which: list[int]) -> None:
        """Write a checkpoint of those seeds among `which` that are sound."""
        sound = [i for i in which if self._records[i].failure is None]
        if not sound:
            return
        began = time.perf_counter()
        for i in [i for i in sound if self._records[i].unsaved]:
            self._records[i].save(self._programs.parts(progress, i))
        cost = time.perf_counter() - began
        self._save_at = began + max(SAVE_EVERY, cost / _SAVE_SHARE)

    def _how_to_go_on(self, going: list[int]) -> str:
        at = min(self._records[i].env_steps for i in going)
        where = ", ".join(str(self._records[i].path) for i in going)
        config = self._records[going[0]].config
        of = f"{at:,} of {config.steps:,} steps" if config.seconds is None else f"{at:,} steps"
        return f"Stopped after {of} and saved in {where}; the same command goes on from there."


def _how_it_finished(record: RunRecord) -> str:
    """One line: why a finished run is, and how to make it longer."""
    if not record.held:
        return f"{record.path} is finished: {record.env_steps:,} steps are done; --steps N with more goes on."
    return (
        f"{record.path} is finished: the validation return has reached {record.config.until:.4g} and held it, after "
        f"{record.env_steps:,} steps; --until none goes on."
    )


def _raise_failures(records: list[RunRecord]) -> None:
    """Raise what made seeds fail, in one line."""
    failures = {record.path: str(record.failure) for record in records if record.failure is not None}
    if failures:
        raise RunsFailedError(" ".join(failures.values()), failures)
