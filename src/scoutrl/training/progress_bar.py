"""How far training is, on stderr: a bar in a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, cast

from scoutrl._platform import gigabytes
from scoutrl.quiet import Stream, tell
from scoutrl.runs.config import RunConfig
from scoutrl.runs.metrics import RETURN
from scoutrl.training.compilation import how_long

_FULL = 1000
"""Length of the bar."""
_LINE_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


class ProgressBar:
    """Shows the mean over the seeds. Redrawn by the caller's own thread, once a chunk, to cost next to nothing."""

    def __init__(self, config: RunConfig, done: float, show: bool, memory: float | None = None):
        """Begin where a share `done` of the length that `config` says is done; `show` False shows nothing.

        `memory` is told before compiling: bytes that the training takes at least.
        """
        self._config = config
        self._show = show
        self._began, self._done_at_start = time.perf_counter(), done
        self._last_line = 0.0
        self._over = False
        self._memory = "" if memory is None else f"; trials and networks take at least {gigabytes(memory)} of memory"
        self._score = "…"
        self._bar = _bar() if show and Stream(sys.stderr, lenient=True).isatty() else None

    def __enter__(self) -> "ProgressBar":
        if self._bar is not None:
            said = f"{how_long(self._config)}{self._memory}"
            self._task = self._bar.add_task("compiling", total=_FULL, completed=self._at_start, said=said)
            self._bar.start()
            self._bar.refresh()
        elif self._show:
            tell(f"compiling … ({how_long(self._config)}){self._memory}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self) -> None:
        """Compilation is over: time left is counted from here."""
        self._began = time.perf_counter()
        if self._bar is not None:
            self._bar.reset(self._task, total=_FULL, completed=self._at_start, description="training", said="")

    def update(self, rows: Sequence[Mapping[str, float]], labels: Sequence[str] = ()) -> None:
        """Show the newest row of each seed; the return is told for each of the `labels`, one a row, apart."""
        if not self._show or not rows:
            return
        self._score = _returns(rows, labels or [""] * len(rows)) or self._score
        done = min(1.0, sum(self._config.share(row["env_steps"], row["seconds"]) for row in rows) / len(rows))
        steps = sum(row["steps_per_second"] for row in rows)
        updates = sum(row["updates_per_second"] for row in rows)
        if not steps and done < 1:
            return  # all are still compiling: there is no news
        said = f"validation return {self._score} · {steps:,.0f} steps/s · {updates:,.0f} updates/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=_FULL * done, description="training", said=said)
            self._bar.refresh()
        elif not self._over and (time.perf_counter() - self._last_line > _LINE_EVERY or done >= 1):
            self._over = done >= 1
            self._last_line = time.perf_counter()
            tell(f"{self._length(done)} · {said}{self._left(done)}")

    @property
    def _at_start(self) -> int:
        return int(_FULL * self._done_at_start)

    def _length(self, done: float) -> str:
        if self._config.seconds is None:
            return f"{done * self._config.steps:,.0f} of {self._config.steps:,} steps"
        return f"{done * self._config.seconds / 60:.1f} of {self._config.seconds / 60:g} minutes"

    def _left(self, done: float) -> str:
        passed = time.perf_counter() - self._began
        if done <= self._done_at_start or done >= 1:
            return ""
        left = passed * (1 - done) / (done - self._done_at_start)
        return f" · {int(left) // 60}:{int(left) % 60:02d} left"


def _returns(rows: Sequence[Mapping[str, float]], labels: Sequence[str]) -> str:
    """The mean of the newest returns under each label; empty where there is none yet."""
    scores: dict[str, list[float]] = {}
    for row, label in zip(rows, labels, strict=True):
        if RETURN in row:
            scores.setdefault(label, []).append(row[RETURN])
    return ", ".join(f"{label} {sum(same) / len(same):.3f}".strip() for label, same in scores.items())


def _bar():
    """A bar on stderr; None on a terminal that can only add lines."""
    # Imported when needed: a command that shows no bar need not wait for it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(file=cast(IO[str], Stream(sys.stderr, lenient=True)))
    if console.is_dumb_terminal or not console.is_terminal:
        return None
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        auto_refresh=False,
    )
