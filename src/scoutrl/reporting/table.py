"""Tables of results for people. They are printed on stderr: stdout is kept for results."""

import sys
from typing import TYPE_CHECKING

from scoutrl.reporting.tables import HEAD, rows_of
from scoutrl.results.comparison import Comparison
from scoutrl.results.coupling import Coupling
from scoutrl.results.growth import SizeResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show(comparison: Comparison) -> None:
    """Print the table of a comparison, its bounds, and every seed that failed."""
    console = _console()
    console.print(comparison_table(comparison))
    if comparison.bounds:
        bounds = comparison.bounds.items()
        console.print("  ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in bounds))
    if comparison.shortest_exploration is not None:
        console.print(f"shortest exploration that suffices, in steps: {comparison.shortest_exploration}", markup=False)
    _print_failures(console, comparison.failures)


def show_coupling(coupling: Coupling) -> None:
    """Print the tables of the coupling experiment, and every seed that failed."""
    console = _console()
    for table in coupling_tables(coupling):
        console.print(table)
    _print_failures(console, coupling.failures)


def comparison_table(comparison: Comparison) -> "Table":
    """One row per algorithm: return, steps of exploration, seeds, medians of training steps and seconds, notes.

    Exploration steps are means over the seeds that did not fail.
    """
    title = f"{comparison.family}: {comparison.trials} trials of each seed {comparison.where}"
    table = _table(title, *HEAD[1:])
    for row in rows_of(comparison):
        table.add_row(*row.cells)
    return table


def coupling_tables(coupling: Coupling) -> "list[Table]":
    """A table for each target, one row per algorithm: samples at each size with the censored seeds, and the slope."""
    tables = []
    for target in ("explores", "solves"):
        title = f"lever: environment steps until the agent {target}"
        table = _table(title, *map(str, coupling.sizes), "growth")
        for result in coupling.algorithms:
            growth = result.growth[target]
            table.add_row(result.label, *map(_samples, growth.points), str(growth))
        tables.append(table)
    return tables


def _samples(point: SizeResult) -> str:
    if point.middle is None:
        return "-"
    late = f" ({len(point.censored)} of {len(point.env_steps)} late)" if point.censored else ""
    return f"{'' if point.known else '> '}{point.middle.iqm:,.0f}{late}"


def _print_failures(console: "Console", failures: list[str]) -> None:
    for failure in failures:
        console.print(f"failed: {failure}", markup=False, soft_wrap=True)


def _console() -> "Console":
    from rich.console import Console  # imported when a table is printed: `scout --help` need not wait for it

    # Where there is no terminal, rich would take 80 columns.
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("algorithm", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right")
    return table
