"""The README's table of what was measured with what, a line for each file and each set of circumstances in it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rows import Row, rows
from benchmarks.stale import State, changed

HEAD = ["results", "rows", "commit", "date", "machine", "versions"]


@dataclasses.dataclass(frozen=True)
class Group:
    """Rows of one file that were measured with the same, whatever the command."""

    rows: Sequence[Row]
    """These rows."""
    described: str
    """Which they are."""

    @property
    def state(self) -> State:
        """The worst of its rows."""
        return State.of(row.state for row in self.rows)

    @property
    def cells(self) -> list[str]:
        """The line of the table."""
        file, with_ = self.rows[0].file, self.rows[0].provenance
        machine = f"{with_.processor}, {with_.cores} core{'s' if with_.cores > 1 else ''}"
        return [
            f"[{file}](benchmarks/results/{file}){marked(self.state)}",
            self.described,
            with_.commit or "–",
            with_.date,
            f"{machine}, {with_.accelerator}" if with_.accelerator else machine,
            ", ".join(f"{name} {version}" for name, version in with_.versions.items()),
        ]

    @property
    def notice(self) -> str:
        """What is to be said of it where it is stale."""
        files = {name for row in self.rows for name in changed(row.provenance.commit, row.paths) or ()}
        where = f"{self.rows[0].file} ({self.described}, measured at {self.rows[0].provenance.commit})"
        return f"stale: {where}: {len(files)} files that it depends on have changed since, such as {min(files)}"


def marked(state: State) -> str:
    """A mark that follows a word; nothing for what is fresh."""
    return f" {state.value}" if state.value else ""


def groups(results: Sequence[Mapping[str, Any]]) -> list[Group]:
    """All rows of all files, those together that share a line."""
    found = []
    for result in results:
        together: dict[str, list[Row]] = {}
        for row in rows(result):
            together.setdefault(repr(dataclasses.replace(row.provenance, command="")), []).append(row)
        every = [row for those in together.values() for row in those]
        found += [
            Group(those, "all" if len(together) == 1 else _described(those, every)) for those in together.values()
        ]
    return found


def _described(those: Sequence[Row], every: Sequence[Row]) -> str:
    """Names of rows; of what is all there, as an algorithm with all its seeds, its own name alone."""
    parts = []
    for of in dict.fromkeys(row.of for row in those):
        names = ", ".join(row.name for row in those if row.of == of)
        whole = {row.name for row in those if row.of == of} == {row.name for row in every if row.of == of}
        parts.append(f"`{of}`" if of and whole else f"`{of}` {names}" if of else names)
    return ", ".join(parts)
