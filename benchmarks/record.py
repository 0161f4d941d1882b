"""What every result tells besides its figures: on what it was measured, when, and by which command."""

import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
"""Where results are kept, one JSON file each."""
_PACKAGES = ("jax", "jaxlib", "equinox", "scoutrl")


def circumstances(module: str) -> dict[str, Any]:
    """Machine, versions, date and command line of the benchmark `module` that runs now."""
    return {
        "command": shlex.join(["python", "-m", f"benchmarks.{module}", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "commit": _commit(),
        "versions": {"python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in _PACKAGES},
    }


def keep(name: str, result: dict[str, Any], smoke: bool) -> None:
    """Write a result to `results/NAME.json`; that of a smoke run is no result, and only printed."""
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    if smoke:
        print(text, end="")
        return
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(text, encoding="utf-8")
    print(f"Written: {path}  (the README's tables: python -m benchmarks.table)")


def print_status(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr, flush=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str | None:
    """The commit measured, with a plus where files differ from it; None outside a repository."""
    here = Path(__file__).parent
    try:
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True)
        changed = subprocess.run(["git", "status", "--short", "../src"], cwd=here, capture_output=True, text=True)
    except OSError:
        return None
    return head.stdout.strip() + ("+" if changed.stdout else "") or None
