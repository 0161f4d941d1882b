"""The table of a comparison, for people, on stderr: stdout is kept for results."""

import statistics
import sys
from typing import Any

from scoutrl.experiments.coupling import TARGETS, Coupling
from scoutrl.results.comparison import AlgorithmResult, Comparison
from scoutrl.results.growth import Point


def show(found: Comparison) -> None:
    """Print the comparison, its bounds, and every seed that failed."""
    console = _console()
    title = f"{found.family}: {found.trials} trials of each seed {found.where}"
    table = _table(title, "return (IQM)", "95% interval", "seeds", "steps", "training s")
    for one in found.algorithms:
        table.add_row(*_row(one))
    console.print(table)
    if found.bounds:
        console.print("  ".join(f"{name.replace('_', ' ')} {worth:.3f}" for name, worth in found.bounds.items()))
    for failure in found.failures:
        console.print(f"failed: {failure}", markup=False, soft_wrap=True)


def _row(one: AlgorithmResult) -> list[str]:
    """Steps and seconds are medians over the seeds that did not fail."""
    count = f"{len(one.sound)} of {len(one.seeds)}"
    if one.final is None:
        return [one.label, "-", "-", count, "-", "-"]
    interval = "unknown" if one.final.ci95 is None else f"{one.final.ci95[0]:.3f} … {one.final.ci95[1]:.3f}"
    steps = statistics.median(seed.env_steps for seed in one.sound)
    seconds = statistics.median(seed.seconds for seed in one.sound)
    return [one.label, f"{one.final.iqm:.3f}", interval, count, f"{steps:,.0f}", f"{seconds:,.1f}"]


def show_coupling(found: Coupling) -> None:
    """Print samples and slopes, the seeds that did not arrive, and every seed that failed."""
    console = _console()
    for target in TARGETS:
        table = _table(f"lever: environment steps until the agent {target}", *map(str, found.sizes), "growth")
        for one in found.learners:
            growth = one.growth[target]
            table.add_row(one.label, *map(_samples, growth.points), str(growth))
        console.print(table)
    for failure in found.failures:
        console.print(f"failed: {failure}", markup=False, soft_wrap=True)


def _samples(point: Point) -> str:
    if point.middle is None:
        return "-"
    late = f" ({len(point.censored)} of {len(point.env_steps)} late)" if point.censored else ""
    return f"{'' if point.known else '> '}{point.middle.iqm:,.0f}{late}"


def _console() -> Any:
    # Imported when a table is printed: `scout --help` need not wait for it.
    from rich.console import Console

    # Where there is no terminal, rich would take 80 columns.
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


def _table(title: str, *columns: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("algorithm", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right")
    return table
