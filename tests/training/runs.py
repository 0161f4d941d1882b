"""Short runs of the tabular probe, and what they leave behind."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from scoutrl.runs import checkpoint
from scoutrl.runs.agent import AGENT
from scoutrl.runs.begun import CHECKPOINTS
from scoutrl.runs.config import RunConfig, resolve
from scoutrl.runs.record import TO_GO_ON

TIMES = ("seconds", "steps_per_second", "updates_per_second", "compile_seconds")
CHUNK = 160
"""Environment steps in a chunk of `config`: 10 iterations of 8 trials of 2 steps."""


def config(steps: int = 3 * CHUNK, seed: int = 0, **settings: Any) -> RunConfig:
    sets = {"env.size": 4, "iterations": 10, "evaluation_trials": 16} | settings
    return resolve("probes.tabular:Tabular", "lever", steps=steps, seed=seed, sets=sets)


def rows(run: Path) -> list[dict[str, float]]:
    """The metrics of a run but for the times."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


def arrays(run: Path) -> dict[str, np.ndarray]:
    """All that the newest checkpoint holds but for the times."""
    found = checkpoint.load(run / CHECKPOINTS, None, [AGENT, *TO_GO_ON])
    assert found is not None
    parts = [{f"{part}.{name}": array for name, array in arrays.items()} for part, arrays in found.parts.items()]
    counters = {f"host.{name}": np.asarray(value) for name, value in found.counters.items() if name != "seconds"}
    return {name: array for some in [*parts, counters] for name, array in some.items()}


def assert_same(run: Path, other: Path) -> None:
    """The two runs have the very same numbers."""
    assert rows(run) == rows(other)
    mine, theirs = arrays(run), arrays(other)
    assert mine.keys() == theirs.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
