"""Two commits side by side: `python -m benchmarks.compare_commits A B`.

Each is checked out into a directory of its own and trains with the packages that are installed here, or in another
environment that is named. The runs of the
two take turns, so that whatever else the machine does falls on both; every run begins with an empty cache of compiled
programs. Ratios are B's medians by A's: of seconds below 1 is faster, of what is done in a second above 1.
"""

import contextlib
import dataclasses
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from benchmarks.record import keep, print_status, provenance
from benchmarks.watch import Seen, Training, on_cores

ROOT = Path(__file__).parent.parent
RETURNS = ("validation_return", "test_return")
"""What the return that training is watched by is called, now and in 0.1: on problems that are not learnt from."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure two commits."""

    algorithm: str = "dream"
    """Algorithm to train, with its default preset in each commit."""
    family: str = "distracting-bus"
    """Family to train on."""
    steps: int = 1_000_000
    """Environment steps of each run."""
    target: float | None = None
    """A return: runs end as soon as it is there, and the time from the prompt to it is measured as well."""
    rounds: int = 3
    """Runs of each commit, with seeds 0, 1 …"""
    first_seed: int = 0
    """Seed of the first round."""
    warm_up: int = 2
    """Chunks at the beginning that are left out of the speeds."""
    python: tuple[str, str] = (sys.executable, sys.executable)
    """Interpreters of the two: a commit of other dependencies needs an environment that has them."""
    core: int = 0
    """The one core that all runs have."""
    smoke: bool = False
    """Run for a few seconds to see that everything works; nothing is kept."""


def main(a: str, b: str, /, options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure commits `a` and `b`, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, family="lever", steps=20_000, rounds=1, warm_up=0)
    commits = {side: _commit(name) for side, name in (("a", a), ("b", b))}
    runs: dict[str, list[dict[str, Any]]] = {"a": [], "b": []}
    with contextlib.ExitStack() as stack:
        sources = {side: stack.enter_context(checked_out(commit)) for side, commit in commits.items()}
        for seed in range(options.first_seed, options.first_seed + options.rounds):
            for (side, source), python in zip(sources.items(), options.python, strict=True):
                runs[side].append(measure(source, python, seed, options))
                print_status(f"{commits[side]} seed {seed}: {_said(runs[side][-1])}")
    medians = {side: _medians(of) for side, of in runs.items()}
    ratios = {name: medians["b"][name] / medians["a"][name] for name in medians["a"].keys() & medians["b"].keys()}
    print_status(f"{commits['b']} by {commits['a']}: {_said(ratios)}")
    setup = dataclasses.asdict(options)
    result = {"benchmark": "compare_commits", "commits": commits, **setup, "ratios": ratios, "medians": medians}
    name = f"commits-{options.algorithm}-{options.family}-{commits['a']}-{commits['b']}"
    keep(name, result | {"runs": runs, "provenance": provenance("compare_commits")}, options.smoke)


@contextlib.contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A directory with the files of a commit; it is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / commit
        _git("worktree", "add", "--detach", str(place), commit)
        try:
            yield place
        finally:
            _git("worktree", "remove", "--force", str(place))


def measure(source: Path, python: str, seed: int, options: Options) -> dict[str, Any]:
    """One cold run of the code in `source`: its speeds, and the seconds to each point on its way."""
    words = [options.algorithm, options.family, "--steps", str(options.steps), "--seed", str(seed)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as scratch, on_cores({options.core}):
        training = Training(words, Path(scratch) / "run", Path(scratch) / "cache", source / "src", python)
        seen, reached = [], None
        for one in training.rows():
            seen.append(one)
            if reached is None and options.target is not None and _return(one) >= options.target:
                reached = one
                training.stop()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    speeds = seen[options.warm_up :] or seen
    found = {
        "steps_per_second": statistics.median(one.row["steps_per_second"] for one in speeds),
        "updates_per_second": statistics.median(one.row["updates_per_second"] for one in speeds),
        "compile_seconds": seen[0].row["compile_seconds"],
        # All that is no training: interpreter, imports, compilation.
        "seconds_before_training": seen[0].at - seen[0].row["seconds"],
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "env_steps": seen[-1].row["env_steps"],
        "best_return": max(_return(one) for one in seen),
    }
    if reached is not None:
        found |= {"seconds_to_target": reached.at, "steps_to_target": reached.row["env_steps"]}
    return {"seed": seed, **found}


def _return(one: Seen) -> float:
    return max((one.row[name] for name in RETURNS if name in one.row), default=-float("inf"))


def _medians(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Of every figure that all runs have."""
    shared = set.intersection(*(set(run) for run in runs)) - {"seed"}
    return {name: statistics.median(run[name] for run in runs) for name in sorted(shared)}


def _said(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:,.3g}" for name, value in figures.items() if name != "seed")


def _commit(name: str) -> str:
    return _git("rev-parse", "--short", f"{name}^{{commit}}")


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
