"""One seed in a process of its own, as those see it that started it."""

import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, final

from scoutrl.runs.config import RunConfig
from scoutrl.runs.metrics import newest
from scoutrl.runs.record import print_status

IDLE = {"env_steps": 0, "seconds": 0.0, "steps_per_second": 0.0, "updates_per_second": 0.0}
"""The newest metrics of a run that has none yet."""


@dataclasses.dataclass(frozen=True)
class SeedRun:
    """One seed to train."""

    config: RunConfig
    """What to train."""
    out: Path
    """Its run directory."""
    label: str = ""
    """What it is a seed of, where there are several such things."""

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.label} seed {self.config.seed}".strip()


def share_done(seeds: Sequence[SeedRun]) -> float:
    """How much of all the seeds is done, 0 … 1."""
    rows = [IDLE | newest(seed.out) for seed in seeds]
    shares = [seed.config.share(row["env_steps"], row["seconds"]) for seed, row in zip(seeds, rows, strict=True)]
    return sum(shares) / len(shares)


@dataclasses.dataclass(frozen=True)
class Command:
    """How the program was called that wants a seed trained."""

    argv: list[str]
    """The command, for the record."""
    path: list[str]
    """Directories to import from."""

    @staticmethod
    def own() -> "Command":
        """That of this process."""
        return Command(sys.argv, sys.path)


@final
class SeedProcess:
    """One seed and, once started, its process."""

    def __init__(self, of: SeedRun, command: Command | None = None):
        self.of = of
        self.by_itself = False
        """It failed and was not killed, so that it would fail again."""
        self._command = command or Command.own()
        self.failure: str | None = None
        """Why it failed, in one line."""
        self.stopped = True
        """It has not come to its end: not started, or stopped by a signal."""
        self.core: int | None = None
        """The core its process runs on; None for any."""
        self._process: subprocess.Popen | None = None
        self._last: dict[str, float] = {}
        self._stderr: IO[str] | None = None

    def start(self, core: int | None) -> None:
        """Start the process, on one core only where the system can do that."""
        self.core = core
        self._stderr = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (closed in `ended`)
        request = {"config": self.of.config.to_json(), "out": str(self.of.out), "core": core}
        request |= dataclasses.asdict(self._command)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scoutrl.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            text=True,
            # Ctrl-C is for this process, which passes it on.
            process_group=0,
        )
        pipe = self._process.stdin
        assert pipe is not None
        # Its stdin stays open: that it ends tells the worker that this process is gone.
        with contextlib.suppress(BrokenPipeError):
            pipe.write(json.dumps(request) + "\n")
            pipe.flush()

    def ended(self) -> bool:
        """Whether the process is gone; if so, what it leaves behind has been noted."""
        assert self._process is not None
        code = self._process.poll()
        if code is None:
            return False
        assert self._process.stdin is not None
        assert self._stderr is not None
        self._process.stdin.close()
        self._last = self.row()
        self.stopped = code in (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM)
        self._stderr.seek(0)
        lines = self._stderr.read().splitlines()
        self._stderr.close()
        if code != 0 and not self.stopped:
            said = lines.pop() if code == 2 and lines else " ".join(lines[-1:])
            self.by_itself = code > 0
            self.failure = said if code > 0 and said else f"its process ended with code {code}."
        for line in lines:
            print_status(f"{self.of.name}: {line}")
        return True

    def stop(self, signum: int) -> None:
        """Pass a signal on."""
        assert self._process is not None
        self._process.send_signal(signum)

    def kill(self) -> None:
        """End the process, if there still is one, at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def row(self) -> dict[str, float]:
        """The newest metrics; the speeds are 0 where nothing runs."""
        if self._last:
            return self._last
        runs = self._process is not None and self._process.poll() is None
        return IDLE | newest(self.of.out) | ({} if runs else {"steps_per_second": 0.0, "updates_per_second": 0.0})
