"""Whether the code that figures depend on is still the one they were measured with, by the repository's history."""

import enum
import functools
import re
from collections.abc import Iterable
from pathlib import Path

from scoutrl.runs.provenance import git

ROOT = Path(__file__).parent.parent
"""The repository."""


class State(enum.Enum):
    """Of a figure, or of several: the worst of them."""

    FRESH = ""
    STALE = "†"
    UNKNOWN = "‡"

    @staticmethod
    def of(states: Iterable["State"]) -> "State":
        """Stale if one is, else unknown if one is."""
        found = set(states)
        return next((state for state in (State.STALE, State.UNKNOWN) if state in found), State.FRESH)


def state(commit: str | None, paths: tuple[str, ...], root: Path = ROOT) -> State:
    """Whether the files at `paths` are the same in HEAD as in `commit`.

    Files are compared, not counted commits: a change that was taken back makes nothing stale.

    Args:
        commit: abbreviated or not, with a plus if there were changes besides; None if it was not noted.
        paths: pathspecs of git, relative to `root`.
        root: the repository.

    Returns:
        UNKNOWN where the history does not tell: without git, in a shallow clone, for a commit that is not there, and
        for one that had changes besides.
    """
    files = changed(commit, paths, root)
    if files is None:
        return State.UNKNOWN
    if files:
        return State.STALE
    return State.UNKNOWN if commit is not None and commit.endswith("+") else State.FRESH


@functools.cache
def changed(commit: str | None, paths: tuple[str, ...], root: Path = ROOT) -> tuple[str, ...] | None:
    """The files at `paths` that differ between `commit` and HEAD; None where that cannot be told."""
    base = (commit or "").removesuffix("+")
    if not re.fullmatch("[0-9a-f]{7,40}", base):
        return None
    said = git(root, "diff", "--name-only", "--no-ext-diff", f"{base}^{{commit}}", "HEAD", "--", *paths)
    return None if said is None else tuple(said.splitlines())
