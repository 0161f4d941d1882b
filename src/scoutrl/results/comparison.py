"""Results of a comparison: plain data, to and from the JSON of results.json."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from scoutrl.evaluation.scores import EvaluationProtocol
from scoutrl.exact.length import ExplorationLength
from scoutrl.results.curves import Curve
from scoutrl.results.files import VERSION, decode_results, read_results
from scoutrl.results.statistics import Iqm
from scoutrl.runs.provenance import History, Provenance


@dataclasses.dataclass(frozen=True)
class Budget:
    """The training that every seed of every algorithm gets; one of the two fields is None."""

    steps: int | None
    """Environment steps."""
    minutes: float | None
    """Minutes of training; compilation does not count."""

    def __str__(self) -> str:
        if self.steps is not None:
            return f"{self.steps:,} steps"
        return "no budget" if self.minutes is None else f"{self.minutes:g} min of training"


@dataclasses.dataclass(frozen=True)
class SeedResult:
    """One seed of one algorithm."""

    seed: int
    """The number of the seed."""
    run_dir: str
    """Directory of its run, relative to that of the comparison."""
    env_steps: int
    """Environment steps of its training."""
    updates: int
    """Gradient steps."""
    seconds: float
    """Seconds of training; compilation does not count."""
    exploitation_return: float | None
    """Mean return of an exploitation episode in the evaluation; None if the seed failed."""
    exploration_return: float | None
    """Mean return of an exploration episode, which is not part of the score; None if the seed failed."""
    exploration_length: float | None
    """Mean steps of an exploration episode; None if the seed failed."""
    failure: str | None
    """The reason for its failure, in one line; None if it did not fail."""
    provenance: History = dataclasses.field(default_factory=dict)
    """With what it was trained, by the steps done when that began to hold; empty if that was not noted."""

    def __post_init__(self) -> None:
        if Path(self.run_dir).is_absolute() or ".." in Path(self.run_dir).parts or "\0" in self.run_dir:
            raise ValueError(f"run_dir {self.run_dir!r} is no directory within that of the comparison")


@dataclasses.dataclass(frozen=True)
class AlgorithmResult:
    """One algorithm, or variant of one, with all its seeds."""

    label: str
    """The algorithm as it was asked for, such as "dream" or "dream,bottleneck=none"."""
    algorithm: str
    """Name of the algorithm."""
    preset: str
    """The preset that its settings began from."""
    settings: dict[str, Any]
    """Every hyper-parameter, by name."""
    final: Iqm | None
    """Exploitation return over the seeds that did not fail; None if all failed."""
    seeds: tuple[SeedResult, ...]
    """All seeds, the failed ones too."""
    by_steps: Curve | None
    """Learning curve against environment steps, over the seeds that did not fail; None if there is none."""
    by_seconds: Curve | None
    """Learning curve against seconds of training; None if there is none."""
    protocol: EvaluationProtocol | None
    """How its seeds were evaluated; None if all failed."""

    @property
    def failed(self) -> tuple[SeedResult, ...]:
        """The seeds that failed."""
        return tuple(seed for seed in self.seeds if seed.failure is not None)

    @property
    def sound(self) -> tuple[SeedResult, ...]:
        """The seeds that did not fail."""
        return tuple(seed for seed in self.seeds if seed.failure is None)

    @property
    def exploration_lengths(self) -> list[float]:
        """Mean steps of an exploration episode of each seed that did not fail."""
        return [seed.exploration_length for seed in self.sound if seed.exploration_length is not None]

    @property
    def advantages(self) -> list[str]:
        """What it had in training, or sees, that other algorithms need not have: hypotheses to act on, goals."""
        found = []
        # Results of Scout 0.1 have the name of then.
        share = self.settings.get("hypothesis_share", self.settings.get("guess_share"))
        if isinstance(share, int | float) and share and self.settings.get("exploration") != "random":
            found.append(f"acts on hypotheses in {share:.0%} of training trials")
        if self.settings.get("goal_while_exploring"):
            found.append("sees the goal while exploring")
        return found

    @property
    def count(self) -> str:
        """The number of seeds behind the figures, as "4 of 5 seeds"."""
        return f"{len(self.sound)} of {len(self.seeds)} seeds"

    def to_dict(self) -> dict[str, Any]:
        """All fields as what JSON can hold, the most wanted first, with the number of seeds and those that failed."""
        failed = [{"seed": seed.seed, "reason": seed.failure} for seed in self.failed]
        counts = {"seeds_sound": len(self.sound), "seeds_asked": len(self.seeds), "failed": failed}
        fields = dataclasses.asdict(self) | counts
        return {name: fields[name] for name in ("label", "algorithm", "final", *counts)} | fields


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Algorithms on one family, with the same problems, budget and evaluation for all."""

    path: Path
    """Directory of the comparison, with results.json."""
    family: str
    """Name of the family."""
    family_options: dict[str, Any]
    """Its options that differ from the defaults."""
    budget: Budget
    """The training that each seed got."""
    trials: int
    """Trials in the evaluation of each seed, all on unseen problems if the family has them."""
    seed: int
    """Seed of the evaluation's randomness, the same for all."""
    bounds: dict[str, float]
    """Exact bounds on the return on the problems of the evaluation, by name; empty if the family cannot be solved."""
    shortest_exploration: ExplorationLength | None = dataclasses.field(default=None, kw_only=True)
    """The shortest exploration that suffices on the problems of the evaluation; None in results of before 0.2."""
    algorithms: tuple[AlgorithmResult, ...]
    """One result per algorithm or variant, in the order they were asked for."""
    evaluated_with: Provenance | None = None
    """With what the evaluations were made, those of all seeds by one command; None if that was not noted."""
    validation_bounds: dict[str, float] | None = None
    """The same bounds on the validation problems, which the learning curves are on; None in results of Scout 0.1, whose
    curves are on the problems of the evaluation."""

    def __post_init__(self) -> None:
        if not self.algorithms:
            raise ValueError("there is no algorithm in it")
        if (self.budget.steps is None) == (self.budget.minutes is None):
            raise ValueError("its budget must be steps or minutes")

    @property
    def where(self) -> str:
        """The problems of the evaluation, in words: "on unseen problems"."""
        protocols = [result.protocol for result in self.algorithms if result.protocol is not None]
        if all(protocol.unseen for protocol in protocols):
            return "on unseen problems"
        return "on the training problems (there are no others)"

    @property
    def curves_where(self) -> str:
        """The problems of the learning curves, in words: "on validation problems"."""
        unseen = self.where == "on unseen problems"
        return "on validation problems" if unseen and self.validation_bounds is not None else self.where

    @property
    def curves_bounds(self) -> dict[str, float]:
        """The bounds on the problems of the learning curves."""
        return self.bounds if self.validation_bounds is None else self.validation_bounds

    @property
    def failures(self) -> list[str]:
        """Every failed seed, as "LABEL seed S: REASON"."""
        return [
            f"{result.label} seed {seed.seed}: {seed.failure}" for result in self.algorithms for seed in result.failed
        ]

    def to_dict(self) -> dict[str, Any]:
        """The content of results.json: every field but `path`, as what JSON can hold."""
        fields = dataclasses.asdict(self) | {"algorithms": [result.to_dict() for result in self.algorithms]}
        del fields["path"]
        if self.validation_bounds is None:
            del fields["validation_bounds"]
        if self.shortest_exploration is None:
            del fields["shortest_exploration"]
        return {"version": VERSION} | fields

    @staticmethod
    def from_dict(content: object, path: str | os.PathLike[str]) -> "Comparison":
        """Read back what `to_dict` gave, also after a detour through JSON.

        Args:
            content: the content of results.json; entries it need not have are ignored.
            path: the directory of the comparison.

        Raises:
            ScoutError: the content is no comparison, or is of an unknown version.
        """
        return decode_results(content, Comparison, Path(path), "a comparison")


def read_comparison(path: str | os.PathLike[str]) -> Comparison:
    """Read the result of a comparison.

    Args:
        path: its directory, or a file with the content of results.json. The result's `path` is the directory.

    Raises:
        ScoutError: there is no such file, or it is not the result of a comparison that Scout wrote.
    """
    return read_results(path, Comparison.from_dict)
