"""A comparison as files for papers and spreadsheets: its table, and its figures."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

from scoutrl.errors import ScoutError
from scoutrl.reporting.plots import exploration_bars, return_bars, return_curves
from scoutrl.reporting.style import save
from scoutrl.reporting.tables import HEAD, Row, rows_of
from scoutrl.results.comparison import Comparison
from scoutrl.runs.files import write_text, writing

Format = Literal["latex", "csv", "markdown", "svg", "pdf"]
"""What a comparison can be written as: tables, then figures."""
FORMATS: tuple[Format, ...] = get_args(Format)
"""All of them."""
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}


def export(comparison: Comparison, formats: Sequence[Format]) -> list[Path]:
    """Write the table of a comparison as table.tex, table.csv or table.md, and its figures, into its directory.

    Returns:
        The files.

    Raises:
        ScoutError: no such format, or the disk is full or refuses.
    """
    check_formats(formats)
    found = []
    for one in dict.fromkeys(formats):
        if one in _TABLES:
            name, make = _TABLES[one]
            with writing(comparison.path):
                write_text(comparison.path / name, make(list(rows_of(comparison))))
            found.append(comparison.path / name)
        else:
            found += save_figures(comparison, [one])
    return found


def check_formats(formats: Sequence[str]) -> None:
    """Raise a ScoutError if there is one that a comparison cannot be written as."""
    if isinstance(formats, str):
        raise ScoutError(f"formats are a list, such as [{formats!r}].")
    if strangers := [one for one in formats if one not in FORMATS]:
        raise ScoutError(f"a comparison cannot be exported as {strangers[0]!r}; there are: {', '.join(FORMATS)}.")


def save_figures(comparison: Comparison, formats: Sequence[str]) -> list[Path]:
    """Write the figures of a comparison into its directory, each in all of the formats.

    Raises:
        ScoutError: the disk is full or refuses.
    """
    figures = {
        "curve-steps": return_curves(comparison, "steps"),
        "curve-seconds": return_curves(comparison, "seconds"),
        "returns": return_bars(comparison),
        "exploration": exploration_bars(comparison),
    }
    return [path for name, figure in figures.items() for path in save(figure, comparison.path / name, formats)]


def latex(rows: Sequence[Row]) -> str:
    """A table for LaTeX with the package booktabs."""
    lines = [" & ".join(map(_latex, row.cells)) + r" \\" for row in rows]
    head = " & ".join(map(_latex, HEAD)) + r" \\"
    columns = "l" + "r" * (len(HEAD) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def markdown(rows: Sequence[Row]) -> str:
    """A table for Markdown."""
    lines = [[_markdown(cell) for cell in cells] for cells in (HEAD, *(row.cells for row in rows))]
    rule = ["---", *["---:"] * (len(HEAD) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (lines[0], rule, *lines[1:]))


def comma_separated(rows: Sequence[Row]) -> str:
    """The numbers as they are, not rounded; empty where there are none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS.values())
    writer.writerows([getattr(row, name) for name in _COLUMNS] for row in rows)
    return text.getvalue()


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text).replace("–", "--")


def _markdown(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in text)


_COLUMNS = {
    "label": "algorithm",
    "iqm": "return_iqm",
    "low": "ci95_low",
    "high": "ci95_high",
    "explored": "exploration_steps",
    "shortest": "shortest_exploration_steps",
    "sound": "seeds_sound",
    "seeds": "seeds_asked",
    "steps": "env_steps",
    "seconds": "seconds",
    "notes": "notes",
}
"""Fields of a row to the columns of a file."""
_TABLES: dict[str, tuple[str, Callable[[Sequence[Row]], str]]] = {
    "latex": ("table.tex", latex),
    "csv": ("table.csv", comma_separated),
    "markdown": ("table.md", markdown),
}
