"""The directory of a run: one configuration, one writer."""

import fcntl
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.runs.files import is_temporary, read_text, write_text, writing

CONFIG = "config.json"
"""The configuration of the run, or of a group of runs."""
FORMAT = 2
"""Of run directories, checkpoints and exported agents; Scout 0.1 wrote none."""
RUN, GROUP, COMPARISON, COUPLING = "a run of one seed", "a group of seeds", "a comparison", "a coupling experiment"
"""What a directory can hold."""
_SIGNS = {"comparison": COMPARISON, "coupling": COUPLING, "seeds": GROUP, "algorithm": RUN}
"""What there is in a configuration of each kind."""
_LOCK = ".lock"
_MOST_NAMED = 5
"""Differences between two configurations that a message names."""
_LONGEST = 40
"""Characters of a value that a message shows."""


class RunDirectory:
    """A directory this process alone may write to, until `close`. Use it as a context manager."""

    def __init__(self, path: Path):
        """Make the directory where there is none, and lock it. One that holds something else is left as it is.

        Raises:
            ScoutError: another process writes there, the place cannot be written to, or it holds no run.
        """
        self.path = path
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            self._refuse_strangers()
            self._lock = self._open_lock()
        try:
            self._take_lock()
        except BaseException:
            os.close(self._lock)
            raise
        self._place = _place(os.stat(path))

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write."""
        os.close(self._lock)

    def check(self) -> None:
        """Check that `path` still is the directory that was opened, and locked by this process alone.

        Raises:
            ScoutError: it was moved or replaced, or its lock was removed, so that somebody else may write there.
        """
        try:
            same = _place(os.stat(self.path)) == self._place
            same &= _place(os.lstat(self.path / _LOCK)) == _place(os.fstat(self._lock))
        except OSError:
            same = False
        if not same:
            raise ScoutError(
                f"the run directory {self.path} was moved or replaced, or its {_LOCK} removed, while it was written "
                "to, so this process has stopped; the last checkpoint is where the directory is now."
            )

    def read_config(self) -> dict[str, Any] | None:
        """The content of config.json; None in a directory that holds nothing yet.

        Raises:
            ScoutError: the directory holds something that is no run.
        """
        path = self.path / CONFIG
        if not os.path.lexists(path):
            return None
        try:
            content = json.loads(read_text(path))
        except (OSError, ValueError, RecursionError) as error:
            raise ScoutError(f"{path} cannot be read ({error}); name another directory with --out DIR.") from error
        if not isinstance(content, dict):
            raise ScoutError(f"{path} is not the configuration of a run; name another directory with --out DIR.")
        return content

    def write_config(self, text: str) -> None:
        """Replace config.json in one go.

        Raises:
            ScoutError: the disk is full or refuses.
        """
        self.check()
        known = os.path.lexists(self.path / CONFIG)
        with writing(self.path):
            write_text(self.path / CONFIG, text)
            for left in self.path.iterdir() if known else ():
                if is_temporary(left.name) and left.is_file() and not left.is_symlink():
                    left.unlink()

    def _refuse_strangers(self) -> None:
        """Look before anything is written."""
        entries = sorted(entry.name for entry in self.path.iterdir())
        strangers = [name for name in entries if name != _LOCK and not is_temporary(name, CONFIG)]
        if strangers and CONFIG not in entries:
            raise ScoutError(
                f"{self.path} holds {strangers[0]} and no {CONFIG}, so it is no run directory; "
                "name an empty or a new one with --out DIR."
            )

    def _open_lock(self) -> int:
        """Open or make the lock; what is there in its place is neither followed nor changed."""
        path = self.path / _LOCK
        if not path.is_symlink():
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
            # In it is the process that holds it; in the runs of earlier versions that alone.
            own = rb"(scout )?\d*" if os.path.lexists(self.path / CONFIG) else rb"(scout \d+)?"
            if stat.S_ISREG(os.fstat(lock).st_mode) and re.fullmatch(own, os.pread(lock, 30, 0)):
                return lock
            os.close(lock)
        raise ScoutError(f"{path} is no lock of scout's and is left alone; name another directory with --out DIR.")

    def _take_lock(self) -> None:
        # The system lets go of the lock when the process ends, however it ends: none is ever left behind.
        try:
            with writing(self.path):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, f"scout {os.getpid()}".encode(), 0)
        except ScoutError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            holder = os.pread(self._lock, 30, 0).decode().removeprefix("scout ") or "another"
            raise ScoutError(
                f"process {holder} is writing to the run directory {self.path}; wait for it or name another with "
                "--out DIR."
            ) from error


def kind_of(content: Mapping[str, Any]) -> str:
    """What a directory holds whose configuration is `content`, in words."""
    return next((kind for sign, kind in _SIGNS.items() if sign in content), "something else")


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


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What differs between two configurations, as "seed is 3 there and 0 here"."""
    found = []
    for name in sorted(there.keys() | here.keys()):
        old, new = there.get(name), here.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new)
        elif old != new:
            found.append(f"{name[:_LONGEST]} is {_shown(old)} there and {_shown(new)} here")
    return found


def listed(found: list[str]) -> str:
    """The first few of what `differences` found, as one short line."""
    more = len(found) - _MOST_NAMED
    return ", ".join(found[:_MOST_NAMED]) + (f", and {more} more" if more > 0 else "")


def refuse_other(path: Path, there: Mapping[str, Any], here: Mapping[str, Any], kind: str = "run") -> None:
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
        raise ScoutError(f"{path} holds another {kind}: {listed(found)}; name another directory with --out DIR.")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _place(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
