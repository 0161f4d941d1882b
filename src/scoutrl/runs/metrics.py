"""Metrics of a run: one JSON object a line, and the same numbers for TensorBoard."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoutrl.runs.files import write_text, writing

FILE = "metrics.jsonl"
"""Name of the file in a run directory."""
_SPEED = ("steps_per_second", "updates_per_second", "compile_seconds", "seconds")
_TAIL = 100_000
"""Bytes at the end of the file that are read to see how far a run is."""
_COUNTERS = ("iteration", "env_steps", "updates")


class MetricsLog:
    """Appends rows to `metrics.jsonl` and to a TensorBoard event file in the same directory."""

    def __init__(self, directory: Path, env_steps: int):
        """Go on after `env_steps`; rows beyond it, if any, must have been dropped by `drop_after`."""
        self._directory = directory
        with writing(directory):
            self._lines = (directory / FILE).open("a", encoding="utf-8")
            self._events = _Events(directory, env_steps)

    def append(self, row: Mapping[str, float]) -> None:
        """Add one row.

        Raises:
            ScoutError: the disk is full or refuses.
        """
        with writing(self._directory):
            self._lines.write(json.dumps(row, allow_nan=False) + "\n")
            self._lines.flush()
            self._events.append(row)

    def close(self) -> None:
        """Close both files."""
        with writing(self._directory):
            self._lines.close()
            self._events.close()


class _Events:
    """A TensorBoard event file.

    Written in the caller's own thread, so that a full disk is the caller's to know and not the end of a thread.
    """

    def __init__(self, directory: Path, env_steps: int):
        # Imported when needed; protobuf makes the names in these modules at run time.
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

        self._event, self._summary = Event, Summary
        # TensorBoard finds event files by this beginning of their name.
        self._file = EventsWriter(str(directory / "events"), f".{os.getpid()}")
        # TensorBoard then leaves out what an earlier event file says of later steps: they are done again.
        start = SessionLog(status=SessionLog.START)
        self._file.write_event(Event(wall_time=time.time(), step=env_steps + 1, session_log=start))

    def append(self, row: Mapping[str, float]) -> None:
        values = [
            self._summary.Value(tag=tag(name), simple_value=value)
            for name, value in row.items()
            if name not in _COUNTERS
        ]
        step = int(row["env_steps"])
        self._file.write_event(self._event(wall_time=time.time(), step=step, summary=self._summary(value=values)))
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def warm_up() -> None:
    """Import what the log needs, at a time of the caller's choice."""
    import tensorboardX.event_file_writer  # noqa: F401


def tag(name: str) -> str:
    """The name under which TensorBoard shows a metric, with its group before it."""
    if name.startswith("test_"):
        return "test/" + name.removeprefix("test_")
    return f"speed/{name}" if name in _SPEED else f"train/{name}"


def read_rows(directory: Path) -> list[dict[str, Any]]:
    """The rows of a run directory; a last line that was cut off in writing is left out."""
    path = directory / FILE
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    # A whole line ends in a newline, so that what follows the last newline is no line yet.
    return [json.loads(line) for line in lines[:-1] if line]


def newest(directory: Path) -> dict[str, Any]:
    """The newest value of each metric, from the last rows only; for a run that another process may be writing."""
    path = directory / FILE
    if not path.exists():
        return {}
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        # The first line may begin in its middle, what follows the last newline may not be whole.
        lines = file.read().split(b"\n")[1 if file.tell() > _TAIL else 0 : -1]
    found = {}
    for line in lines:
        found |= json.loads(line)
    return found


def drop_after(directory: Path, iteration: int) -> None:
    """Drop the rows after `iteration`: what they tell of will be done again.

    Raises:
        ScoutError: the disk is full or refuses.
    """
    path = directory / FILE
    with writing(directory):
        if not path.exists():
            return
        kept = [row for row in read_rows(directory) if row["iteration"] <= iteration]
        write_text(path, "".join(json.dumps(row) + "\n" for row in kept))
