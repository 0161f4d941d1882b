"""Metrics of a run: one JSON object a line, and the same numbers for TensorBoard."""

import json
import math
import os
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, final

from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.runs.files import opened, write_text, writing
from scoutrl.runs.trackers import Listener, Told, Track, Tracker, WandbTracker

FILE = "metrics.jsonl"
"""Name of the file in a run directory."""
RETURN = "validation_return"
"""The metric of an evaluation while training; only rows that have one have it."""
_SPEED = ("steps_per_second", "updates_per_second", "compile_seconds", "seconds")
_TAIL = 100_000
"""Bytes at the end of the file that are read to see how far a run is."""
_COUNTERS = ("iteration", "env_steps", "updates")


class MetricsLog:
    """Appends rows to `metrics.jsonl`, and tells trackers of them."""

    def __init__(
        self,
        directory: Path,
        env_steps: int,
        track: Track = "tensorboard",
        listener: Listener | None = None,
        about: Mapping[str, Any] | None = None,
    ):
        """Go on after `env_steps`; rows beyond it, if any, must have been dropped by `drop_after`.

        Args:
            directory: of the run.
            env_steps: environment steps done.
            track: the tracker, which has its files in the same directory.
            listener: a function that is told each row as well.
            about: the configuration of the run, for trackers that show it.
        """
        self._directory = directory
        self._trackers: list[Tracker] = [] if listener is None else [Told(listener)]
        with writing(directory):
            self._lines = _Appended(directory / FILE)
            try:
                if track == "tensorboard":
                    self._trackers.append(_Events(directory, env_steps))
                elif track == "wandb":
                    self._trackers.append(WandbTracker(directory, about or {}))
            except BaseException:
                self._lines.close()
                raise

    def append(self, row: Mapping[str, float]) -> None:
        """Add one row.

        Raises:
            ScoutError: the disk is full or refuses.
        """
        with writing(self._directory):
            self._lines.write(json.dumps(row, allow_nan=False).encode() + b"\n")
            for tracker in self._trackers:
                tracker.append(row)

    def close(self) -> None:
        """Close the file, and let the trackers end."""
        self._lines.close()
        for tracker in self._trackers:
            tracker.close()


class _Appended:
    """A file that is written without a buffer: what a full disk refuses is not tried again when it is closed."""

    def __init__(self, path: Path):
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)

    def write(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._descriptor, content) :]

    def close(self) -> None:
        os.close(self._descriptor)


@final
class _Events(Tracker):
    """A TensorBoard event file.

    Written in the caller's own thread, so that a full disk is the caller's to know and not the end of a thread.
    """

    def __init__(self, directory: Path, env_steps: int):
        # Imported when needed; protobuf makes the names in these modules at run time.
        from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

        self._event, self._summary = Event, Summary
        # TensorBoard finds event files by this beginning of their name.
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname().replace('/', '-')}.{os.getpid()}"
        self._file = _Appended(directory / name)
        try:
            self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
            # TensorBoard then leaves out what an earlier event file says of later steps: they are done again.
            start = SessionLog(status=SessionLog.START)
            self._write(Event(wall_time=time.time(), step=env_steps + 1, session_log=start))
        except BaseException:
            self.close()
            raise

    def append(self, row: Mapping[str, float]) -> None:
        values = [
            self._summary.Value(tag=tag(name), simple_value=value)
            for name, value in row.items()
            if name not in _COUNTERS
        ]
        step = int(row["env_steps"])
        self._write(self._event(wall_time=time.time(), step=step, summary=self._summary(value=values)))

    def close(self) -> None:
        self._file.close()

    def _write(self, event: Any) -> None:
        """Add a record: length, its checksum, the event, its checksum."""
        from tensorboardX.record_writer import masked_crc32c

        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        checksums = (struct.pack("<I", masked_crc32c(part)) for part in (length, data))
        self._file.write(length + next(checksums) + data + next(checksums))


def warm_up() -> None:
    """Import what the log needs, at a time of the caller's choice."""
    import tensorboardX.proto.event_pb2
    import tensorboardX.record_writer  # noqa: F401


def tag(name: str) -> str:
    """The name under which TensorBoard shows a metric, with its group before it."""
    if name.startswith("validation_"):
        return "validation/" + name.removeprefix("validation_")
    return f"speed/{name}" if name in _SPEED else f"train/{name}"


def count_rows(directory: Path) -> int:
    """How many rows were noted in a run directory, damaged or not."""
    return len(_lines(directory))


def read_rows(directory: Path) -> list[dict[str, Any]]:
    """The rows of a run directory; those that are damaged are left out, which is said in one line on stderr.

    A last line that was cut off in writing is none yet, and is left out without a word.
    """
    lines = _lines(directory)
    rows = _rows(lines)
    if len(rows) < len(lines):
        tell(f"{len(lines) - len(rows)} damaged lines of {directory / FILE} are left out.")
    return rows


def newest(directory: Path) -> dict[str, Any]:
    """The newest value of each metric, from the last rows only; for a run that another process may be writing."""
    found = {}
    for row in _rows(_lines(directory, _TAIL)):
        found |= row
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


def _lines(directory: Path, most: int | None = None) -> list[bytes]:
    """The whole lines of the file, or of its last `most` bytes; none where there is no such file."""
    try:
        with opened(directory / FILE) as file:
            begin = 0 if most is None else max(0, os.fstat(file.fileno()).st_size - most)
            file.seek(begin)
            # What follows the last newline is no line yet, and the first line may begin in its middle.
            lines = file.read().split(b"\n")[1 if begin else 0 : -1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ScoutError(f"{directory / FILE} cannot be read: {error.strerror}.") from error
    return [line for line in lines if line.strip()]


def _rows(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """The rows in those lines that are one: an object of finite numbers, the counters among them."""
    found = []
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and row.keys() >= {"iteration", "env_steps"} and all(map(_is_finite, row.values())):
            found.append(row)
    return found


def _is_finite(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(value)
    except (TypeError, OverflowError):
        return False
