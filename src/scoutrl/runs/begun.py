"""What a directory holds already: a configuration of which kind, and whether any work was done under it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.runs import checkpoint
from scoutrl.runs.metrics import count_rows
from scoutrl.runs.run_dir import CONFIG, FORMAT, RUN, kind_of

CHECKPOINTS = "checkpoints"
"""Name of the folder of checkpoints in a run directory."""


def has_work(path: Path) -> bool:
    """Whether a run, or any run in the directory `path` of several, has a checkpoint, or had one that was lost.

    A run that failed before its first checkpoint has at most the row of its first chunk, and may begin anew.
    """
    for run in [path, *(config.parent for config in path.rglob(CONFIG))]:
        rows = count_rows(run)
        if checkpoint.finished(run / CHECKPOINTS) or rows > 1 or (rows and not (run / CHECKPOINTS).is_dir()):
            return True
    return False


def to_continue(path: Path, there: Mapping[str, Any] | None, kind: str) -> bool:
    """Whether what is in the directory `path` is to be gone on with; otherwise its configuration may be replaced.

    Args:
        path: the directory.
        there: its configuration; None where it has none.
        kind: what is asked for, such as `RUN`.

    Raises:
        ScoutError: it holds something of another kind, and that is not merely the configuration of a start that failed.
    """
    if there is None:
        return False
    ours = there.get("format") == FORMAT or there.keys() in ({"comparison"}, {"coupling"})
    if ours and not has_work(path):
        return False
    if (holds := kind_of(there)) != kind:
        within = "a directory within it, or " if kind == RUN and holds != "something else" else ""
        raise ScoutError(f"{path} holds {holds}; name {within}another directory with --out DIR.")
    return True
