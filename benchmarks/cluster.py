"""Whether a Ray cluster loses or changes anything, and what it costs: `python -m benchmarks.cluster`.

Eight runs are trained on this machine, then on a Ray cluster of two nodes (two raylets here, one core each): first left
alone, for the time that Ray takes, then with processes killed, a node taken away, and the command itself killed and
given again. Metrics, but for times, and every array of the last checkpoints have to be those of the local engine.
"""

import dataclasses
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import psutil
from cyclopts import App, Parameter

from benchmarks.kill import same_runs
from benchmarks.record import keep, print_status, provenance
from scoutrl.runs.metrics import newest

_WORKERS = ("scoutrl.engines.worker", "ray::train_on_node")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Disturb runs on a cluster of two nodes, and see whether they end in the same numbers."""

    runs: int = 8
    """Seeds to train."""
    steps: int = 150_000
    """Environment steps of each, of DREAM on the family lever."""
    kills: int = 20
    """Processes to kill."""
    pause: float = 15.0
    """Seconds between two kills, on average."""
    random_seed: int = 0
    """Seed of what is killed, and when."""
    smoke: bool = False
    """Two short runs and one kill, to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Train, disturb, compare, and keep the result."""
    from ray.cluster_utils import Cluster

    if options.smoke:
        options = dataclasses.replace(options, runs=2, steps=20_000, kills=1)
    rng, found = random.Random(options.random_seed), dataclasses.asdict(options)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        found["seconds_local"] = _seconds(_scout(options, root / "local"))
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        node = cluster.add_node(num_cpus=1)
        there = ["--engine", "ray", "--address", cluster.address, "--storage", str(root / "storage")]
        found["seconds_ray"] = _seconds(_scout(options, root / "ray", there))
        found["changed_ray"] = _changed(options, root / "local", root / "ray")
        print_status(str(found))
        killed = 0
        command = _scout(options, root / "disturbed", there)
        while killed < options.kills and command.poll() is None:
            time.sleep(rng.uniform(0.5, 1.5) * options.pause)
            killed += _kill_one(rng)
            if killed == options.kills // 4:
                cluster.remove_node(node)
                print_status("a node is gone")
            if killed == options.kills // 2:
                node = cluster.add_node(num_cpus=1)
                print_status("and is back")
                command.kill()
                command.wait()
                found["finished_when_command_was_killed"] = _finished(options, root / "disturbed")
                command = _scout(options, root / "disturbed", there)
        found |= {"killed": killed, "exit_code": command.wait()}
        found["changed_disturbed"] = _changed(options, root / "local", root / "disturbed")
        cluster.shutdown()
    found["overhead"] = round(found["seconds_ray"] / found["seconds_local"] - 1, 3)
    keep("cluster", {"benchmark": "cluster"} | found | {"provenance": provenance("cluster")}, options.smoke)
    if found["exit_code"] or found["changed_ray"] or found["changed_disturbed"]:
        raise SystemExit(1)


def _scout(options: Options, out: Path, where: list[str] | None = None) -> subprocess.Popen:
    """Start training all runs."""
    command = [sys.executable, "-m", "scoutrl", "train", "dream", "lever", "--preset", "coupling"]
    command += ["--seeds", str(options.runs), "--steps", str(options.steps), "--out", str(out), *(where or [])]
    return subprocess.Popen(command, env=os.environ | {"SCOUT_CACHE_DIR": str(out.parent / "cache")})


def _seconds(command: subprocess.Popen) -> float:
    began = time.monotonic()
    if code := command.wait():
        raise RuntimeError(f"scout train ended with code {code}.")
    return round(time.monotonic() - began, 1)


def _kill_one(rng: random.Random) -> int:
    """Kill a process that trains, or the one of Ray that started it; gives how many were killed."""
    there: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        if any(name in " ".join(process.info["cmdline"] or []) for name in _WORKERS):
            there.append(process)
    if not there:
        return 0
    victim = rng.choice(there)
    print_status(f"killed {' '.join(victim.info['cmdline'])[:60]}")
    victim.kill()
    return 1


def _finished(options: Options, out: Path) -> int:
    return sum(newest(out / f"seed-{seed}").get("env_steps", 0) >= options.steps for seed in range(options.runs))


def _changed(options: Options, local: Path, other: Path) -> list[int]:
    """The seeds that did not end in the numbers of the local engine."""
    return [seed for seed in range(options.runs) if not _same(local / f"seed-{seed}", other / f"seed-{seed}")]


def _same(one: Path, other: Path) -> Any:
    return (other / "config.json").exists() and same_runs(one, other)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
