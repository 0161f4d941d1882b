"""How soon DREAM has learnt: seconds and environment steps to a target return.

    python -m benchmarks.learning --family distracting-bus --target 0.78 --seeds 10 --limit 120

Each seed is one `scout train` as from a shell, in a new directory and with an empty cache of compiled programs. Time
runs from the start of the process to the arrival of the row of metrics.jsonl whose evaluation, on validation problems,
reaches the target. The run is then stopped as by Ctrl-C, and `scout evaluate` has to confirm the target, on test
problems unless `--splits` names others, on the checkpoint it leaves, at the end of the next chunk at the latest; that
is not counted. If the target is not confirmed, the same command goes on and the clock with it, by the seconds of
training that the metrics tell, so that starting again is not counted either.

Seeds are added to those that the result has; one that is measured again is replaced. Each has its own provenance.
"""

import dataclasses
import os
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated, Any

from cyclopts import App, Parameter

from benchmarks.race import Race
from benchmarks.record import earlier, keep, print_status, provenance
from benchmarks.watch import bounds, on_cores
from scoutrl.envs.problems import Split


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure how soon DREAM reaches a target return."""

    family: str = "distracting-bus"
    """Family to train on."""
    preset: str = "default"
    """Preset to train with."""
    target: float | None = None
    """Mean exploitation return to reach; without it, `of_optimum`."""
    of_optimum: float = 0.95
    """The target as a share of the optimum of each split, as `scout bounds` tells it."""
    splits: Annotated[tuple[Split, ...], Parameter(consume_multiple=1, negative=())] = ("test",)
    """Splits on which `scout evaluate` has to confirm the target; the metrics tell of validation alone."""
    seeds: int = 10
    """How many, from `first` on."""
    first: int = 0
    """The first seed."""
    limit: float = 120.0
    """Seconds after which a seed has failed."""
    trials: int = 2000
    """Trials of the confirming evaluation."""
    parallel: bool = False
    """One seed per core at a time; without it one seed at a time, free to use all cores."""
    sets: Annotated[tuple[str, ...], Parameter("--set", consume_multiple=1, negative=())] = ()
    """Settings, as for `scout train --set`."""
    name: str | None = None
    """Name of the result; without it made of family and preset."""
    smoke: bool = False
    """Run for a few seconds to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    if options.smoke:
        # A target that the first evaluation reaches, so that stopping and confirming are tried.
        tiny = ("iterations=5", "trials_per_iteration=16", "capacity=64")
        options = dataclasses.replace(options, family="lever", target=-1.0, seeds=1, trials=64, limit=600.0, sets=tiny)
    with tempfile.TemporaryDirectory() as scratch:
        aim, targets = _targets(options, Path(scratch))
        setup = _setup(options, aim, targets)
        name = options.name or f"learning-{options.family}-{options.preset}"
        there = {} if options.smoke else earlier(name, setup)
        race = Race(_words(options), aim, targets, options.limit, options.trials, Path(scratch))
        rows = together(there.get("seeds", []), _run(race, options))
    keep(name, setup | {"summary": _summary(rows), "seeds": rows}, options.smoke)


def together(there: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of all seeds, in order; those that were measured earlier and not again are as they were."""
    rows = {row["seed"]: row for row in [*there, *new]}
    return [rows[seed] for seed in sorted(rows)]


def _setup(options: Options, aim: float, targets: dict[str, float]) -> dict[str, Any]:
    """What has to be the same for seeds to be in one result."""
    return {
        "benchmark": "learning",
        "family": options.family,
        "preset": options.preset,
        "sets": list(options.sets),
        "target": targets,
        "validation_target": aim,
        "limit_seconds": options.limit,
        "cores_per_seed": 1 if options.parallel else len(os.sched_getaffinity(0)),
    }


def _words(options: Options) -> list[str]:
    sets = ["--set", *options.sets] if options.sets else []
    return ["dream", options.family, "--preset", options.preset, "--until", "none", *sets]


def _targets(options: Options, scratch: Path) -> tuple[float, dict[str, float]]:
    """The return on validation problems to look out for, and the target of each split."""
    if options.target is not None:
        return options.target, dict.fromkeys(options.splits, options.target)
    optimum = bounds(options.family, scratch / "cache-bounds")["optimum"]
    targets = {split: options.of_optimum * value for split, value in optimum.items()}
    return targets["validation"], {split: targets[split] for split in options.splits}


def _run(race: Race, options: Options) -> list[dict[str, Any]]:
    here = os.sched_getaffinity(0)
    free: SimpleQueue[set[int]] = SimpleQueue()
    places = [{core} for core in sorted(here)] if options.parallel else [here]
    for place in places:
        free.put(place)

    def one(seed: int) -> dict[str, Any]:
        cores = free.get()
        try:
            with on_cores(cores):
                result = race.run(seed)
        finally:
            free.put(cores)
        print_status(f"seed {seed}: {result}")
        return dataclasses.asdict(result) | {"provenance": provenance("learning", race.run_dir(seed))}

    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(one, range(options.first, options.first + options.seeds)))


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the seeds that have reached the target; None where none has."""
    reached = [row for row in rows if row["seconds"] is not None]
    seconds = [row["seconds"] for row in reached]
    steps = [row["env_steps"] for row in reached]
    return {
        "reached": len(reached),
        "of": len(rows),
        "median_seconds": statistics.median(seconds) if seconds else None,
        "worst_seconds": max(seconds, default=None),
        "median_env_steps": statistics.median(steps) if steps else None,
        "worst_env_steps": max(steps, default=None),
    }


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
