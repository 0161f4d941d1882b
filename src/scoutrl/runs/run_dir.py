"""The directory of a run: one configuration, one writer."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.runs.files import write_text, writing

CONFIG = "config.json"
"""The configuration of the run, or of a group of runs."""
FORMAT = 2
"""Of run directories, checkpoints and exported agents; Scout 0.1 wrote none."""
_LOCK = ".lock"


class RunDirectory:
    """A directory this process alone may write to, until `close`. Use it as a context manager."""

    def __init__(self, path: Path):
        """Make the directory where there is none, and lock it.

        Raises:
            ScoutError: another process writes there, or the place cannot be written to.
        """
        self.path = path
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        # The system lets go of the lock when the process ends, however it ends: none is ever left behind.
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 20, 0).decode(errors="replace").strip() or "another"
            os.close(self._lock)
            raise ScoutError(
                f"process {holder} is writing to the run directory {path}; wait for it or name another with --out DIR."
            ) from error
        with writing(path):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write."""
        os.close(self._lock)

    def read_config(self) -> dict[str, Any] | None:
        """The content of config.json; None in a directory that holds nothing yet.

        Raises:
            ScoutError: the directory holds something that is no run.
        """
        path = self.path / CONFIG
        if not path.exists():
            self._refuse_strangers()
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ScoutError(f"{path} cannot be read ({error}); name another directory with --out DIR.") from error
        if not isinstance(content, dict):
            raise ScoutError(f"{path} is not the configuration of a run; name another directory with --out DIR.")
        return content

    def write_config(self, text: str) -> None:
        """Replace config.json in one go.

        Raises:
            ScoutError: the disk is full or refuses.
        """
        with writing(self.path):
            write_text(self.path / CONFIG, text)

    def _refuse_strangers(self) -> None:
        own = {_LOCK, f".{CONFIG}.tmp"}
        strangers = sorted(entry.name for entry in self.path.iterdir() if entry.name not in own)
        if strangers:
            raise ScoutError(
                f"{self.path} holds {strangers[0]} and no {CONFIG}, so it is no run directory; "
                "name an empty or a new one with --out DIR."
            )


def check_format(content: Mapping[str, Any], where: object) -> None:
    """Check that what was read from `where` was written in the format of this version.

    Raises:
        ScoutError: it was not; says which version to use.
    """
    written = content.get("format", 1)
    if written == 1:
        raise ScoutError(
            f"{where} was made by scout 0.1, which this version cannot read; use `pip install scoutrl==0.1.0` for it, "
            "or train anew in another directory with --out DIR."
        )
    if written != FORMAT:
        raise ScoutError(f"{where} was made by a newer version of scout; update with `pip install -U scoutrl`.")


def differences(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """What differs between two configurations, as "seed is 3 there and 0 here"."""
    found = []
    for name in sorted(there.keys() | here.keys()):
        old, new = there.get(name), here.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new)
        elif old != new:
            found.append(f"{name} is {json.dumps(old)} there and {json.dumps(new)} here")
    return found


def refuse_other(path: Path, there: dict[str, Any], here: dict[str, Any], kind: str = "run") -> None:
    """Check that two configurations are the same run.

    Args:
        path: the run directory.
        there: the configuration it holds.
        here: the configuration asked for, as JSON would hold it.
        kind: what they are configurations of.

    Raises:
        ScoutError: they differ; says in what.
    """
    # Compared as JSON, in which a tuple is a list.
    found = differences(there, json.loads(json.dumps(here)))
    if found:
        raise ScoutError(f"{path} holds another {kind}: {', '.join(found)}; name another directory with --out DIR.")
