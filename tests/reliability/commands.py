"""The program `scout` in a process of its own, on families and algorithms that compile in a second."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ["train", "probes.scripted:Script", "probes.rooms:Rooms"]
"""A training that learns nothing; `--steps 16` is one iteration."""
QUICK = ["--steps", "16", "--set", "iterations=1", "evaluation_trials=4"]


def environment(**changes: str) -> dict[str, str]:
    """This process's, with `changes`, and with the tests among the places to import from."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path} | changes


def scout(*words: object, shell: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end; `shell` is what a shell would read behind it, such as `>&-`."""
    line = [sys.executable, "-m", "scoutrl", *map(str, words)]
    command = ["bash", "-c", f'"$@" {shell}', "bash", *line]
    return subprocess.run(
        command, env=environment(**changes), capture_output=True, text=True, errors="replace", timeout=300
    )


def start(*words: object, own_session: bool = False, **changes: str) -> subprocess.Popen[str]:
    """Start a command line."""
    line = [sys.executable, "-m", "scoutrl", *map(str, words)]
    variables = environment(**changes)
    return subprocess.Popen(line, env=variables, stderr=subprocess.PIPE, text=True, start_new_session=own_session)


def assert_one_line(result: subprocess.CompletedProcess[str], *named: str) -> None:
    """A user's mistake: exit code 2, and one line on stderr that names the cause."""
    assert result.returncode == 2, result
    said = result.stderr.splitlines()
    assert "Traceback" not in result.stderr, result.stderr
    assert said[-1].startswith("scout: ")
    assert len([line for line in said if line.startswith("scout: ")]) == 1, said
    for name in named:
        assert name in said[-1]
