"""The table of a comparison, for people, on stderr: stdout is kept for results."""

import statistics
import sys

from scoutrl.report.results import Comparison, Standing


def show(found: Comparison) -> None:
    """Print the comparison, its bounds, and every seed that failed."""
    # Imported when a table is printed: `scout --help` need not wait for it.
    from rich.console import Console
    from rich.table import Table

    # Where there is no terminal, rich would take 80 columns.
    console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)
    table = Table(title=f"{found.family}: {found.trials} trials of each seed {found.where}", title_justify="left")
    table.add_column("algorithm", overflow="fold")
    for name in ("return (IQM)", "95% interval", "seeds", "steps", "training s"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.algorithms:
        table.add_row(*_row(one))
    console.print(table)
    if found.bounds:
        console.print("  ".join(f"{name.replace('_', ' ')} {worth:.3f}" for name, worth in found.bounds.items()))
    for failure in found.failures:
        console.print(f"failed: {failure}", markup=False, soft_wrap=True)


def _row(one: Standing) -> list[str]:
    """Steps and seconds are medians over the seeds that did not fail."""
    count = f"{len(one.sound)} of {len(one.seeds)}"
    if one.final is None:
        return [one.label, "-", "-", count, "-", "-"]
    interval = "unknown" if one.final.ci95 is None else f"{one.final.ci95[0]:.3f} … {one.final.ci95[1]:.3f}"
    steps = statistics.median(seed.env_steps for seed in one.sound)
    seconds = statistics.median(seed.seconds for seed in one.sound)
    return [one.label, f"{one.final.iqm:.3f}", interval, count, f"{steps:,.0f}", f"{seconds:,.1f}"]
