"""With what figures were computed: command, date, machine, commit and versions. Each run notes it when it trains.

It is no part of a run's identity: a run may be continued by another version or on another machine, and then notes both.
"""

import dataclasses
import datetime
import functools
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

from scoutrl.decoding import decode
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.runs.files import read_text, write_text, writing

FILE = "provenance.json"
"""Name of the file in a run directory."""
_PACKAGES = ("jax", "jaxlib", "equinox", "scoutrl")
_GIT_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Provenance:
    """With what figures were computed."""

    command: str
    """The command line; where Scout was called from Python, that of the program."""
    date: str
    """Day on which the command was given: YYYY-MM-DD, UTC."""
    processor: str
    """Name of the processor; "unknown" if the system does not tell."""
    cores: int
    """Cores that the command had; a seed that is trained beside others in a process of its own has one."""
    system: str
    """Operating system."""
    commit: str | None
    """Commit of Scout, with a plus if the package differed from it; None if Scout was not run from a checkout."""
    versions: dict[str, str]
    """Versions of Python and of the packages that the numbers depend on, by name."""
    accelerator: str | None = None
    """Kind of the device that JAX computed on; None if that was the processor."""

    @staticmethod
    def now(accelerator: str | None = None) -> "Provenance":
        """That of this process. JAX is not started for it, so the accelerator has to be told."""
        return Provenance(
            command=_command(sys.argv),
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            system=platform.system(),
            commit=_commit(),
            versions={"python": platform.python_version(), **_versions()},
            accelerator=accelerator,
        )


History = dict[int, Provenance]
"""With what a run was trained: the environment steps that were done when it began to hold, in rising order."""


def read_provenance(run: Path) -> History:
    """With what the run in the directory `run` was trained; empty if that was not noted, or can no longer be read."""
    return _read(run) or {}


def note_provenance(run: Path, env_steps: int, now: Provenance) -> None:
    """Note that the run in the directory `run` is trained with `now` from `env_steps` on.

    What was noted for later steps is dropped: those steps were lost and are done again. Nothing is noted if only the
    date differs. A file that cannot be read is left as it is.

    Raises:
        ScoutError: the disk is full or refuses.
    """
    before = _read(run)
    if before is None:
        return
    kept = {steps: one for steps, one in before.items() if steps < env_steps}
    last = next(reversed(kept.values()), None)
    if last is None or dataclasses.replace(last, date=now.date) != now:
        kept[env_steps] = now
    if kept != before:
        content = {steps: dataclasses.asdict(one) for steps, one in kept.items()}
        with writing(run):
            write_text(run / FILE, json.dumps(content, indent=1) + "\n")


def _read(run: Path) -> History | None:
    """As `read_provenance`; None if the file cannot be read, which is told."""
    try:
        return decode(json.loads(read_text(run / FILE)), dict[int, Provenance], "the provenance of a run")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, ScoutError) as error:
        tell(f"{run / FILE} cannot be read ({error}) and is left as it is; move it away to have a new one begun.")
        return None


def _command(argv: list[str]) -> str:
    """The command line without the directories of programs, which are another matter on every machine."""
    program, *words = argv or [""]
    path = Path(program)
    scout = path.name == "scout" or path.parts[-2:] == ("scoutrl", "__main__.py")
    shown = shlex.join([*(["scout"] if scout else filter(None, ["python", path.name])), *words])
    return shown.encode(errors="replace").decode()


@functools.cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


@functools.cache
def _versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in _PACKAGES}


@functools.cache
def _commit() -> str | None:
    """The commit of the code that this process runs, which stays the same when files change later."""
    package = Path(__file__).parents[1]
    # Installed into an environment within another project's repository, Scout has no commit.
    if git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head = git(package, "rev-parse", "--short=12", "HEAD")
    return head and head + ("" if git(package, "status", "--porcelain", "--", ".") == "" else "+")


def git(where: Path, *words: str) -> str | None:
    """What git says in the directory `where`; None if it fails, or if there is no git."""
    # In a hook of git's, such variables would name another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(
            command,
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_GIT_SECONDS,
            process_group=0,  # Ctrl-C is for this process
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
