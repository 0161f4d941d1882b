"""Whether `kill -9` loses anything: `python -m benchmarks.kill --kills 100`.

Real processes of `scout train` are killed at random moments: while they start, while they train and while they write a
checkpoint. The same command is given again each time, and until the run is at its end. Then its metrics, but for times,
and every array of its last checkpoint are compared with those of the same seed in a process that nothing disturbed.
"""

import contextlib
import dataclasses
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import App, Parameter

from benchmarks.record import keep, print_status, provenance
from scoutrl.runs import checkpoint
from scoutrl.runs.agent import AGENT
from scoutrl.runs.begun import CHECKPOINTS
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.record import TO_GO_ON

_STARTING, _TRAINING, _SAVING = "starting", "training", "saving"
_TIMES = ("seconds", "steps_per_second", "updates_per_second", "compile_seconds")
_CHUNK, _CHUNKS = 80, 40
"""Environment steps in a chunk, and chunks of a run for each of its kills."""
_WAIT = 600.0
"""Seconds after which a process that does not do what is waited for counts as hanging."""
_SETTINGS = "env.size=4 iterations=5 evaluation_trials=16 width=8 memory_size=8 policy_width=8 capacity=64 batch_size=8"
# The command line, but with a checkpoint after every chunk, so that there always is one to be interrupted, and with all
# that was compiled kept, so that most of the time is not spent on starting.
_SCOUT = """
import sys
from scoutrl.training import compilation, loop
compilation._WORTH_KEEPING = 0.0
loop.SAVE_EVERY, loop._SAVE_SHARE = 0.0, 1.0
from scoutrl.cli import main
sys.exit(main())
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Kill training again and again, and see whether anything is lost or changed."""

    kills: int = 100
    """Processes to kill."""
    kills_per_run: int = 20
    """Kills of one run before it is let go on to its end."""
    algorithm: str = "dream"
    """Algorithm to train, on the family lever."""
    random_seed: int = 0
    """Seed of the moments."""
    smoke: bool = False
    """Kill three processes to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Kill, compare, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, kills=3, kills_per_run=3, algorithm="rl2")
    rng, runs, seed = random.Random(options.random_seed), [], 0
    with tempfile.TemporaryDirectory() as scratch:
        while (missing := options.kills - sum(len(run["kills"]) for run in runs)) > 0:
            runs.append(_campaign(options, seed, min(missing, options.kills_per_run), Path(scratch), rng))
            print_status(f"seed {seed}: {runs[-1]}")
            seed += 1
    kills = Counter(kill for run in runs for kill in run["kills"])
    found = {"kills": kills.total(), "kills_while": dict(kills), "runs": len(runs)}
    found |= {name: sum(run[name] for run in runs) for name in ("lost", "changed", "damaged")}
    setup = {"benchmark": "kill", "algorithm": options.algorithm}
    keep("kill", setup | found | {"provenance": provenance("kill")}, options.smoke)
    if found["lost"] or found["changed"]:
        raise SystemExit(1)


def _campaign(options: Options, seed: int, kills: int, scratch: Path, rng: random.Random) -> dict[str, Any]:
    """One run that is killed `kills` times and one that is not."""
    steps = str(options.kills_per_run * _CHUNKS * _CHUNK)
    words = [options.algorithm, "lever", "--preset", "coupling", "--steps", steps, "--seed", str(seed)]
    words += ["--set", *_SETTINGS.split()]
    whole, killed = scratch / f"whole-{seed}", scratch / f"killed-{seed}"
    began = time.monotonic()
    _finish(words, whole)
    start_seconds = time.monotonic() - began
    found: dict[str, Any] = {"kills": [], "lost": 0, "damaged": 0}
    while len(found["kills"]) < kills:
        before, old = _newest(killed), _unfinished(killed)
        how = rng.choice([_STARTING, _TRAINING, _SAVING, _SAVING])
        with _scout(words, killed) as process:
            lost = not _reach(how, process, killed, before, rng.uniform(0, start_seconds), rng)
            ended = process.poll() is not None
        found["lost"] += lost or _newest(killed) < before
        if ended:
            break
        writing = _unfinished(killed) - old
        found["kills"].append(_SAVING if writing else _STARTING if how == _STARTING else _TRAINING)
    found["damaged"] = _finish(words, killed).count("is damaged")
    return found | {"changed": int(not same_runs(whole, killed))}


def _reach(how: str, process: subprocess.Popen, run: Path, before: int, pause: float, rng: random.Random) -> bool:
    """Wait for the moment to kill at; False if the process did not go on from the checkpoint `before`."""
    if how == _STARTING:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
        return True
    until = time.monotonic() + _WAIT
    while (newest := _newest(run)) == before and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.3))
    if how == _SAVING:
        while not any((run / CHECKPOINTS).glob("*.tmp")) and process.poll() is None and time.monotonic() < until:
            pass
        time.sleep(rng.uniform(0, 0.005))
    return newest > before


@contextlib.contextmanager
def _scout(words: list[str], run: Path) -> Iterator[subprocess.Popen]:
    """`scout train`, killed at the end of the block."""
    environment = os.environ | {"SCOUT_CACHE_DIR": str(run.parent / "cache")}
    command = [sys.executable, "-c", _SCOUT, "train", *words, "--out", str(run)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _finish(words: list[str], run: Path) -> str:
    """Let the run go on to its end; gives what was said on stderr."""
    with _scout(words, run) as process:
        said = process.communicate()[1]
    if process.returncode != 0:
        raise RuntimeError(f"scout train ended with code {process.returncode}:\n{said}")
    return said


def _unfinished(run: Path) -> set[tuple[str, int]]:
    """Checkpoints that were being written when the last process was killed; none is the same as an older one."""
    return {(path.name, path.stat().st_mtime_ns) for path in (run / CHECKPOINTS).glob("*.tmp")}


def _newest(run: Path) -> int:
    """Iterations done in the newest checkpoint; 0 without any."""
    names = [path.name for path in (run / CHECKPOINTS).glob("*")]
    return max((int(name) for name in names if name.isdigit()), default=0)


def same_runs(whole: Path, killed: Path) -> bool:
    """Whether two runs have the very same metrics and arrays."""
    rows = [[{k: v for k, v in row.items() if k not in _TIMES} for row in read_rows(run)] for run in (whole, killed)]
    mine, theirs = _arrays(whole), _arrays(killed)
    equal = all(name in theirs and np.array_equal(mine[name], theirs[name], equal_nan=True) for name in mine)
    return rows[0] == rows[1] and mine.keys() == theirs.keys() and equal


def _arrays(run: Path) -> dict[str, np.ndarray]:
    found = checkpoint.load(run / CHECKPOINTS, None, [AGENT, *TO_GO_ON])
    assert found is not None
    counters = {f"counters/{name}": np.asarray(value) for name, value in found.counters.items() if name != "seconds"}
    parts = {f"{part}/{name}": array for part, arrays in found.parts.items() for name, array in arrays.items()}
    return counters | parts


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
