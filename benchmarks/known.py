"""Training on families whose best return is known, and the returns of it, seed by seed."""

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import scoutrl
from benchmarks.learning import together
from benchmarks.record import print_status, provenance
from scoutrl import MetaEnv
from scoutrl.results.statistics import Iqm

TRIALS = 1000
"""Greedy trials that each agent is measured by."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """An algorithm, and a family to train it on with its defaults."""

    benchmark: str
    """Name of the module that measures it."""
    algorithm: str
    env: MetaEnv
    steps: int
    """Environment steps of training."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the family needs, such as how many exploration episodes; of an algorithm's own, nothing."""

    def measured(self, seeds: range, there: Mapping[str, Any]) -> dict[str, Any]:
        """Some seeds trained and measured, beside those that were `there`."""
        rows = together(there.get("seeds", []), [self._seed(seed) for seed in seeds])
        found = Iqm.of([row["return"] for row in rows])
        return {"iqm": round(found.iqm, 6), "ci95": found.ci95, "seeds": rows}

    def _seed(self, seed: int) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as scratch:
            out = Path(scratch) / "run"
            run = scoutrl.train(
                self.algorithm, self.env, self.steps, seed, out, settings=self.settings, track="none", show=False
            )
            earned = round(scoutrl.evaluate(run, TRIALS, env=self.env).exploitation_return.mean, 4)
            row = {"seed": seed, "return": earned, "provenance": provenance(self.benchmark, out)}
        print_status(f"{self.algorithm} on {type(self.env).__name__}, seed {seed}: {earned}")
        return row
