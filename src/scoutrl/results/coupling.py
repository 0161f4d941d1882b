"""Results of the coupling experiment: plain data, to and from the JSON of results.json."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from scoutrl.results.files import VERSION, decode_results, read_results
from scoutrl.results.growth import AT_OPTIMUM, Growth
from scoutrl.results.rates import RATES, slope_of_rate
from scoutrl.runs.provenance import History

FAMILY = "lever"
"""The family on which the experiment is made."""


@dataclasses.dataclass(frozen=True)
class CouplingResult:
    """One algorithm, or variant of one, over all sizes."""

    label: str
    """The algorithm as it was asked for, such as "dream" or "dream,bottleneck=none"."""
    settings: dict[str, Any]
    """Every hyper-parameter, by name."""
    steps_per_trial: int
    """Environment steps of a trial: each of its episodes has one."""
    explores: Growth
    """Samples until the explorer pulls the telling lever."""
    solves: Growth
    """Samples until the agent solves the problems."""
    provenance: dict[int, dict[int, History]] = dataclasses.field(default_factory=dict)
    """With what each run was trained, by size, then by seed; empty if that was not noted."""

    @property
    def growth(self) -> dict[str, Growth]:
        """The samples until each of the two targets, "explores" and "solves"."""
        return {"explores": self.explores, "solves": self.solves}

    def to_dict(self) -> dict[str, Any]:
        """All fields as what JSON can hold."""
        growth = {target: growth.to_dict() for target, growth in self.growth.items()}
        fields = dataclasses.asdict(self)
        return {name: fields[name] for name in ("label", "settings", "steps_per_trial", "provenance")} | growth


@dataclasses.dataclass(frozen=True)
class Coupling:
    """How the samples to the optimum grow with the number of levers, for several algorithms."""

    path: Path
    """Directory of the experiment, with results.json."""
    sizes: tuple[int, ...]
    """Numbers of levers, in rising order."""
    seeds: int
    """Seeds of each algorithm at each size."""
    algorithms: tuple[CouplingResult, ...]
    """One result per algorithm or variant, in the order they were asked for."""

    @property
    def failures(self) -> list[str]:
        """Every failed seed, as "LABEL, N levers, seed S: REASON"."""
        return [
            f"{result.label}, {point.size} levers, seed {seed}: {reason}"
            for result in self.algorithms
            for point in result.explores.points
            for seed, reason in point.failed.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """The content of results.json."""
        return {
            "version": VERSION,
            "family": FAMILY,
            "sizes": list(self.sizes),
            "seeds": self.seeds,
            "definition": "env_steps: steps lived at the first evaluation from which on the greedy agent is at the "
            f"optimum at every evaluation; explores: it pulls the telling lever in {AT_OPTIMUM:.0%} of the problems; "
            f"solves: it earns {AT_OPTIMUM:.0%} of the best return. Each evaluation has every problem once.",
            "rates": {name: slope_of_rate(power, self.sizes) for name, power in RATES.items()},
            "algorithms": [result.to_dict() for result in self.algorithms],
        }

    @staticmethod
    def from_dict(content: object, path: str | os.PathLike[str]) -> "Coupling":
        """Read back what `to_dict` gave, also after a detour through JSON.

        Args:
            content: the content of results.json; entries it need not have are ignored.
            path: the directory of the experiment.

        Raises:
            ScoutError: the content is no such result, or is of an unknown version.
        """
        return decode_results(content, Coupling, Path(path), "a result of the coupling experiment")


def read_coupling(path: str | os.PathLike[str]) -> Coupling:
    """Read the result of a coupling experiment.

    Args:
        path: its directory, or a file with the content of results.json. The result's `path` is the directory.

    Raises:
        ScoutError: there is no such file, or it is not the result of a coupling experiment that Scout wrote.
    """
    return read_results(path, Coupling.from_dict)
