"""What a second core is worth to one run: `python -m benchmarks.shards`.

DREAM trains in one shard on one core, in two shards on two cores, and in two shards in two processes with a core each,
as on two hosts whose network costs nothing. Real runs of `scout train`, in turn; speeds are medians over the chunks
after warm-up, in which it plays and learns. The larger the batch, the more there is to share.
"""

import dataclasses
import os
import socket
import statistics
import tempfile
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from benchmarks.record import earlier, keep, print_status, provenance
from benchmarks.watch import Training, on_cores

_SPEEDS = ("steps_per_second", "updates_per_second")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure what a second core is worth to one run."""

    batch_sizes: tuple[int, ...] = (16, 64, 256, 1024)
    """Trials in one gradient step, of all shards together."""
    family: str = "distracting-bus"
    """Family to train on, with the default preset."""
    trials_per_iteration: int = 64
    """Trials collected in one iteration, of all shards together."""
    iterations: int = 20
    """Iterations in a chunk."""
    steps: int = 200_000
    """Environment steps of each run."""
    warm_up: int = 2
    """Chunks at the beginning that are left out of the medians."""
    rounds: int = 3
    """Runs of each kind, in turn."""
    smoke: bool = False
    """Run for a few seconds to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    if options.smoke:
        small = {"family": "lever", "batch_sizes": (16,), "trials_per_iteration": 16, "iterations": 5}
        options = dataclasses.replace(options, **small, steps=2_000, warm_up=1, rounds=1)
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise SystemExit("two cores are needed.")
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for batch_size in options.batch_sizes:
            found[str(batch_size)] = measure(options, batch_size, cores, Path(scratch))
    besides = ("batch_sizes", "rounds", "smoke")
    setup = {name: value for name, value in dataclasses.asdict(options).items() if name not in besides}
    setup = {"benchmark": "shards", "algorithm": "dream", **setup}
    before = {} if options.smoke else earlier("shards", setup).get("batch_sizes", {})
    keep("shards", {**setup, "batch_sizes": before | found}, options.smoke)


def measure(options: Options, batch_size: int, cores: list[int], scratch: Path) -> dict[str, Any]:
    """All three ways of training with one size of batch."""
    words = ["dream", options.family, "--steps", str(options.steps), "--set", f"batch_size={batch_size}"]
    words += [f"trials_per_iteration={options.trials_per_iteration}", f"iterations={options.iterations}"]
    speeds: dict[str, list[dict[str, float]]] = {"one_core": [], "two_cores": [], "two_processes": []}
    for turn in range(options.rounds):
        for way, seen in speeds.items():
            out = scratch / f"{way}-{batch_size}-{turn}"
            rows = _train(way, words, cores, out, scratch / "cache")
            if len(rows) < options.warm_up + 2:
                raise SystemExit(f"{len(rows)} chunks are too few without the first {options.warm_up}; raise --steps.")
            seen += rows[options.warm_up :]
    found: dict[str, Any] = {
        way: {
            **{name: statistics.median(row[name] for row in seen) for name in _SPEEDS},
            "chunks": len(seen),
            "provenance": provenance("shards", scratch / f"{way}-{batch_size}-0"),
        }
        for way, seen in speeds.items()
    }
    one = found["one_core"]["steps_per_second"]
    ratios = {f"{way}_ratio": found[way]["steps_per_second"] / one for way in ("two_cores", "two_processes")}
    said = ", ".join(f"{way} {found[way]['steps_per_second']:,.0f} steps/s" for way in speeds)
    print_status(f"batches of {batch_size}: {said}; " + ", ".join(f"{name} {ratios[name]:.2f}" for name in ratios))
    return found | ratios


def _train(way: str, words: list[str], cores: list[int], out: Path, cache: Path) -> list[dict[str, float]]:
    """The rows of metrics of one run."""
    if way == "one_core":
        with on_cores(set(cores[:1])):
            first = Training([*words, "shards=1"], out, cache)
        return [seen.row for seen in first.rows()]
    if way == "two_cores":
        with on_cores(set(cores)):
            first = Training([*words, "shards=2"], out, cache)
        return [seen.row for seen in first.rows()]
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    together = [*words, "shards=2", "--coordinator", address, "--processes", "2", "--process"]
    both = []
    for number, core in enumerate(cores):
        with on_cores({core}):
            both.append(Training([*together, str(number)], out, cache))
    rows = [seen.row for seen in both[0].rows()]
    both[1].wait()
    return rows


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
