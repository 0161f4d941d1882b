"""How far training is, on stderr: a bar in a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Mapping, Sequence

_LINE_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


class Display:
    """Shows the mean over the seeds. Redrawn by the caller's own thread, once a chunk, to cost next to nothing."""

    def __init__(self, steps: int, done: int, show: bool):
        """Begin at `done` of `steps` environment steps per seed; `show` False shows nothing."""
        self._steps = steps
        self._show = show
        self._began, self._done_at_start = time.perf_counter(), done
        self._last_line = 0.0
        self._over = False
        self._score = "…"
        self._bar = _bar() if show and sys.stderr.isatty() else None

    def __enter__(self) -> "Display":
        if self._bar is not None:
            self._task = self._bar.add_task("compiling", total=self._steps, completed=self._done_at_start, said="")
            self._bar.start()
            self._bar.refresh()
        elif self._show:
            print("compiling …", file=sys.stderr, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self) -> None:
        """Compilation is over: time left is counted from here."""
        self._began = time.perf_counter()
        if self._bar is not None:
            self._bar.reset(self._task, total=self._steps, completed=self._done_at_start, description="training")

    def update(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Show the newest row of each seed."""
        if not self._show or not rows:
            return
        scores = [row["test_return"] for row in rows if "test_return" in row]
        if scores:
            self._score = f"{sum(scores) / len(scores):.3f}"
        done = min(self._steps, sum(row["env_steps"] for row in rows) / len(rows))
        steps = sum(row["steps_per_second"] for row in rows)
        updates = sum(row["updates_per_second"] for row in rows)
        if not steps and done < self._steps:
            return  # all are still compiling: there is no news
        said = f"return on unseen problems {self._score} · {steps:,.0f} steps/s · {updates:,.0f} updates/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description="training", said=said)
            self._bar.refresh()
        elif not self._over and (time.perf_counter() - self._last_line > _LINE_EVERY or done >= self._steps):
            self._over = done >= self._steps
            self._last_line = time.perf_counter()
            print(f"{done:,.0f} of {self._steps:,} steps · {said}{self._left(done)}", file=sys.stderr, flush=True)

    def _left(self, done: float) -> str:
        passed = time.perf_counter() - self._began
        if done <= self._done_at_start or done >= self._steps:
            return ""
        left = passed * (self._steps - done) / (done - self._done_at_start)
        return f" · {int(left) // 60}:{int(left) % 60:02d} left"


def _bar():
    # Imported when needed: a command that shows no bar need not wait for it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        auto_refresh=False,
    )
