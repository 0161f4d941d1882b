"""What a comparison found: plain data, and the same as JSON."""

import dataclasses
from pathlib import Path
from typing import Any

from scoutrl.evaluation.scores import EvaluationProtocol
from scoutrl.results.curves import Curve
from scoutrl.results.statistics import Iqm


@dataclasses.dataclass(frozen=True)
class Budget:
    """What every seed of every algorithm gets; one of the two is None."""

    steps: int | None
    """Environment steps."""
    minutes: float | None
    """Minutes of training; compilation does not count."""

    def __str__(self) -> str:
        return f"{self.steps:,} steps" if self.steps is not None else f"{self.minutes:g} min of training"


@dataclasses.dataclass(frozen=True)
class SeedResult:
    """One seed of one algorithm."""

    seed: int
    """Its number."""
    run_dir: str
    """Where its run is, below the directory of the comparison."""
    env_steps: int
    """Environment steps it has trained for."""
    updates: int
    """Gradient steps."""
    seconds: float
    """Seconds of training; compilation does not count."""
    exploitation_return: float | None
    """Mean return of an exploitation episode on the problems of the evaluation; None if the seed failed."""
    exploration_return: float | None
    """Mean return of an exploration episode, which does not count; None if the seed failed."""
    exploration_length: float | None
    """Mean steps of an exploration episode; None if the seed failed."""
    failure: str | None
    """Why it failed, in one line; None if it did not."""


@dataclasses.dataclass(frozen=True)
class AlgorithmResult:
    """One algorithm, or variant, with all its seeds."""

    label: str
    """As it was asked for."""
    algorithm: str
    """Its name."""
    preset: str
    """The preset its settings began from."""
    settings: dict[str, Any]
    """Every hyper-parameter."""
    final: Iqm | None
    """Exploitation return over the seeds that did not fail; None where all did."""
    seeds: tuple[SeedResult, ...]
    """All seeds, the failed ones too."""
    by_steps: Curve | None
    """Learning curve against environment steps, of the seeds that did not fail."""
    by_seconds: Curve | None
    """The same against seconds of training."""
    protocol: EvaluationProtocol | None
    """How it was evaluated; None where all seeds failed."""

    @property
    def failed(self) -> tuple[SeedResult, ...]:
        """The seeds that failed."""
        return tuple(one for one in self.seeds if one.failure is not None)

    @property
    def sound(self) -> tuple[SeedResult, ...]:
        """The seeds that did not."""
        return tuple(one for one in self.seeds if one.failure is None)

    @property
    def count(self) -> str:
        """How many seeds are behind the figures, in words."""
        return f"{len(self.sound)} of {len(self.seeds)} seeds"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Algorithms on one family: the same problems, budget and evaluation for all."""

    path: Path
    """Directory with the runs, results.json and the plots."""
    family: str
    """Name of the family."""
    family_options: dict[str, Any]
    """Its options that differ from the defaults."""
    budget: Budget
    """Training of each seed."""
    trials: int
    """Trials behind the score of each seed, all on unseen problems where the family has them."""
    seed: int
    """Seed of the evaluation, the same for all."""
    bounds: dict[str, float]
    """What can be earned on the problems of the evaluation, by name of the bound; empty where nobody can tell."""
    algorithms: tuple[AlgorithmResult, ...]
    """In the order they were asked for."""

    @property
    def where(self) -> str:
        """On which problems they were evaluated, in words."""
        judged = [one.protocol for one in self.algorithms if one.protocol is not None]
        if all(one.unseen for one in judged):
            return "on unseen problems"
        return "on the training problems (there are no others)"

    @property
    def failures(self) -> list[str]:
        """Every failed seed, by name and with the reason."""
        return [f"{one.label} seed {seed.seed}: {seed.failure}" for one in self.algorithms for seed in one.failed]

    def to_dict(self) -> dict[str, Any]:
        """The content of results.json: everything, as what JSON can hold."""
        content = dataclasses.asdict(self) | {"algorithms": [_result(one) for one in self.algorithms]}
        del content["path"]
        return content


def _result(one: AlgorithmResult) -> dict[str, Any]:
    failed = [{"seed": seed.seed, "reason": seed.failure} for seed in one.failed]
    counts = {"seeds_sound": len(one.sound), "seeds_asked": len(one.seeds), "failed": failed}
    plain = dataclasses.asdict(one) | counts
    # What people look for first.
    return {name: plain[name] for name in ("label", "algorithm", "final", *counts)} | plain
