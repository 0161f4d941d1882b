"""How fast DREAM trains: `python -m benchmarks.speed`.

Real runs of `scout train`, on one core and on all. Speeds are medians over the chunks after warm-up; compilation is
told apart, with an empty cache of compiled programs and with a full one. Then several seeds beside each other on all
cores, against one seed on one core.
"""

import dataclasses
import os
import statistics
import tempfile
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from benchmarks.record import keep, print_status, provenance
from benchmarks.watch import Seen, Training, on_cores


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure how fast DREAM trains."""

    family: str = "distracting-bus"
    """Family to train on."""
    preset: str = "default"
    """Preset to train with."""
    steps: int = 1_000_000
    """Environment steps of each run."""
    warm_up: int = 2
    """Chunks at the beginning that are left out of the medians."""
    seeds: int = 4
    """Seeds that are trained beside each other."""
    smoke: bool = False
    """Run for a few seconds to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, family="lever", steps=4_000, warm_up=1, seeds=2)
    words = ["dream", options.family, "--preset", options.preset, "--steps", str(options.steps)]
    if options.smoke:
        words += ["--set", "iterations=5", "trials_per_iteration=16", "capacity=64"]
    here = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        one = measure(words, here[:1], options.warm_up, Path(scratch) / "one")
        # Compiling takes most of a smoke run, and has been tried by now.
        every = one if options.smoke else measure(words, here, options.warm_up, Path(scratch) / "all")
        beside = beside_each_other(words, options.seeds, here, Path(scratch))
        for row, run in ((one, "one/warm"), (every, "one/warm" if options.smoke else "all/warm"), (beside, "single")):
            row["provenance"] = provenance("speed", Path(scratch) / run)
    result = {
        "benchmark": "speed",
        "family": options.family,
        "preset": options.preset,
        "env_steps": options.steps,
        "one_core": one,
        "all_cores": every,
        "seeds": beside,
    }
    keep(f"speed-{options.family}-{options.preset}", result, options.smoke)


def measure(words: list[str], cores: list[int], warm_up: int, scratch: Path) -> dict[str, Any]:
    """Train on `cores`, first with an empty cache of compiled programs, then with what was compiled."""
    with on_cores(set(cores)):
        cold = list(Training(words, scratch / "cold", scratch / "cache").rows())
        warm = list(Training(words, scratch / "warm", scratch / "cache").rows())
    if len(warm) < warm_up + 2:
        raise SystemExit(f"{len(warm)} chunks are too few for a median without the first {warm_up}; raise --steps.")
    found = {
        "cores": len(cores),
        "steps_per_second": _median("steps_per_second", warm[warm_up:]),
        "updates_per_second": _median("updates_per_second", warm[warm_up:]),
        "with_all_else": _with_all_else(warm[warm_up:]),
        "chunks": len(warm) - warm_up,
        "compile_seconds": {"cold": cold[0].row["compile_seconds"], "warm": warm[0].row["compile_seconds"]},
        # All that is no training: interpreter, imports, compilation.
        "seconds_before_training": {
            "cold": cold[0].at - cold[0].row["seconds"],
            "warm": warm[0].at - warm[0].row["seconds"],
        },
    }
    compiled = found["compile_seconds"]
    print_status(
        f"{len(cores)} core(s): {found['steps_per_second']:,.0f} env steps/s, {found['updates_per_second']:,.0f} "
        f"updates/s, compiled in {compiled['cold']:.1f} s, with a cache in {compiled['warm']:.1f} s"
    )
    return found


def beside_each_other(words: list[str], seeds: int, cores: list[int], scratch: Path) -> dict[str, Any]:
    """Wall-clock of the whole command: one seed on one core, and several on all cores, all programs compiled before."""
    cache = scratch / "one" / "cache"
    with on_cores(set(cores[:1])):
        one = Training(words, scratch / "single", cache).wait()
    several = Training([*words, "--seeds", str(seeds)], scratch / "several", cache).wait()
    print_status(f"{seeds} seeds on {len(cores)} core(s): {several:.1f} s, one seed on one core: {one:.1f} s")
    return {"seeds": seeds, "cores": len(cores), "seconds": several, "one_seed_seconds": one, "ratio": several / one}


def _median(name: str, seen: list[Seen]) -> float:
    return statistics.median(one.row[name] for one in seen)


def _with_all_else(seen: list[Seen]) -> dict[str, float]:
    """Speeds by the wall-clock, with evaluations, logging and checkpoints."""
    first, last = seen[0].row, seen[-1].row
    seconds = last["seconds"] - first["seconds"]
    return {f"{name}_per_second": (last[key] - first[key]) / seconds for name, key in _COUNTERS.items()}


_COUNTERS = {"steps": "env_steps", "updates": "updates"}

if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
