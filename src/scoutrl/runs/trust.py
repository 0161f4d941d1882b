"""Whose code is run: what a configuration names is imported only if it is installed, asked for or trusted."""

import sys
from collections.abc import Iterable
from pathlib import Path

from scoutrl.errors import ScoutError
from scoutrl.plugins import announce, is_installed, module_of, sources
from scoutrl.runs.run_dir import CONFIG


def admit(names: Iterable[object], where: Path, trust: bool) -> None:
    """Check that the classes which a run directory or a file names may be imported, and say what will be.

    Names of the registries, and modules that this process has imported already, pass.

    Args:
        names: names, or `package.module:ClassName`.
        where: the run directory or the file that names them.
        trust: code that is not installed may be imported, but never from within `where`.

    Raises:
        ScoutError: one of them may not.
    """
    wanted = {name: module_of(name) for name in names if isinstance(name, str) and module_of(name)}
    found = {name: sources(module) for name, module in wanted.items() if module not in sys.modules}
    for name, files in found.items():
        if any(file.resolve().is_relative_to(_root(where)) for file in files):
            raise ScoutError(
                f"{where} names {name}, whose code lies within the run directory: nothing is imported from there, "
                "trusted or not; if you trust it, move the code elsewhere."
            )
    for name, files in found.items():
        if not trust and not is_installed(wanted[name]):
            lies = f"lies in {files[-1]}" if files else "is not here"
            raise ScoutError(
                f"{where} needs the code of {name}, which {lies} and is not installed; if you trust it, allow it with "
                "--trust, in Python with trust=True."
            )
    for name in found:
        announce(name)


def _root(where: Path) -> Path:
    """The outermost directory that a run is part of: its own, that of its group, or of its comparison."""
    root = where.resolve()
    while (root.parent / CONFIG).is_file():
        root = root.parent
    return root
