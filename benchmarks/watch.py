"""A real `scout train` or `scout evaluate`, started as from a shell and watched from outside."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scoutrl.runs.metrics import read_rows

_POLL = 0.02
"""Seconds between two looks at the metrics: how exact the times of arrival are."""
_SCOUT = [sys.executable, "-m", "scoutrl"]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A row of metrics.jsonl."""

    row: dict[str, Any]
    """The row."""
    at: float
    """Seconds from the start of the process to the row's arrival in the file."""


class Training:
    """One process of `scout train`."""

    def __init__(
        self,
        words: list[str],
        run_dir: Path,
        cache: Path,
        source: Path | None = None,
        python: str = sys.executable,
    ):
        """Start it.

        Args:
            words: after `scout train`, without `--out`.
            run_dir: of one seed, or of several; what is in there is gone on with.
            cache: directory of compiled programs; an empty one makes a cold start.
            source: directory of another version's `scoutrl`; None is the one that is installed.
            python: the interpreter, with the packages that it needs.
        """
        self._run_dir = run_dir
        self._known = len(read_rows(run_dir))
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in `_end`)
        environment = os.environ | {"SCOUT_CACHE_DIR": str(cache)} | ({"PYTHONPATH": str(source)} if source else {})
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [python, "-m", "scoutrl", "train", *words, "--out", str(run_dir)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
        )

    def rows(self) -> Iterator[Seen]:
        """The rows as they arrive, until the process has ended.

        Raises:
            RuntimeError: it ended in another way than by finishing or by `stop`.
        """
        ended = False
        while not ended:
            # Asked before the file is read, so that no last row is missed.
            ended = self._process.poll() is not None
            at = time.perf_counter() - self._began
            new = read_rows(self._run_dir)[self._known :]
            self._known += len(new)
            yield from (Seen(row, at) for row in new)
            time.sleep(0 if ended else _POLL)
        self._end()

    def wait(self) -> float:
        """Seconds from start to end; raises as `rows` does."""
        self._process.wait()
        seconds = time.perf_counter() - self._began
        self._end()
        return seconds

    def stop(self) -> None:
        """Have it save and leave, as Ctrl-C would. `rows` still gives what it wrote until then."""
        if self._process.poll() is None:
            # SIGINT would be ignored where the benchmark runs in the background of a shell.
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.wait()

    def _end(self) -> None:
        self._stderr.seek(0)
        said = self._stderr.read()
        self._stderr.close()
        if self._process.returncode not in (0, 128 + signal.SIGTERM):
            raise RuntimeError(f"scout train ended with code {self._process.returncode}:\n{said}")


def evaluate(run_dir: Path, trials: int, split: str, cache: Path) -> dict[str, Any]:
    """What `scout evaluate --json` prints."""
    return _json(["evaluate", str(run_dir), "--trials", str(trials), "--split", split, "--json"], cache)


def bounds(family: str, cache: Path) -> dict[str, Any]:
    """What `scout bounds --json` prints."""
    return _json(["bounds", family, "--json"], cache)


def _json(words: list[str], cache: Path) -> dict[str, Any]:
    environment = os.environ | {"SCOUT_CACHE_DIR": str(cache)}
    done = subprocess.run([*_SCOUT, *words], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"scout {words[0]} ended with code {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Processes started within the block, by this thread, run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
