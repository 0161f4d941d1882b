"""What an evaluation found, with intervals, for people and as JSON."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit  # scipy.stats would take a second to import

from scoutrl.decoding import decode
from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and how sure of it one can be."""

    mean: float
    """Mean of the samples."""
    ci95: tuple[float, float] | None
    """95% interval of the mean (Student's t), low then high; None where one sample is all there is."""

    @staticmethod
    def of(samples: Any) -> "Estimate":
        """Estimate the mean of `samples` [n], independent of each other, n at least 1.

        Raises:
            ScoutError: a sample is not finite.
        """
        values = np.asarray(samples, np.float64)
        if not np.isfinite(values).all():
            raise ScoutError("the family gave returns that are not finite; run scoutrl.envs.check.check on it.")
        mean = float(values.mean())
        if len(values) == 1:
            return Estimate(mean, None)
        half = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))
        return Estimate(mean, (mean - half, mean + half))

    def to_dict(self) -> dict[str, Any]:
        """`{mean, ci95: [low, high]}`, ci95 None where it is unknown."""
        return {"mean": self.mean, "ci95": list(self.ci95) if self.ci95 else None}

    @staticmethod
    def from_dict(content: object) -> "Estimate":
        """Read back what `to_dict` gave.

        Raises:
            ScoutError: a field is missing or has another type.
        """
        return decode(content, Estimate, "an estimate")

    def __str__(self) -> str:
        interval = f"95% interval {self.ci95[0]:.3f} … {self.ci95[1]:.3f}" if self.ci95 else "interval unknown"
        return f"{self.mean:.3f}  ({interval})"


@dataclasses.dataclass(frozen=True)
class EvaluationProtocol:
    """How an evaluation was done."""

    exploration_episodes: int
    """Exploration episodes in a trial; their reward does not count."""
    exploitation_episodes: int
    """Exploitation episodes in a trial; a trial's score is their mean return."""
    trials: int
    """Trials of each trained agent, spread evenly over the problems."""
    problems: int
    """Problems in the split."""
    unseen: bool
    """None of them was learnt on. False for the training problems, and in families that have no others."""
    greedy: bool
    """The agent acted without the noise of training."""
    split: str
    """`test`: problems kept for reports; `validation`: those watched while learning; `train`: those learnt on."""
    seed: int
    """Seed of the evaluation's randomness."""
    interval: str
    """What the 95% intervals are over: `trials` or `seeds`."""

    @staticmethod
    def from_dict(content: object) -> "EvaluationProtocol":
        """Read back what `dataclasses.asdict` gave.

        Raises:
            ScoutError: a field is missing or has another type.
        """
        return decode(content, EvaluationProtocol, "an evaluation's protocol")

    def __str__(self) -> str:
        kind = "unseen" if self.unseen else "training"
        return (
            f"{self.trials} trials on {self.problems} {kind} problems ({self.split} split), each of "
            f"{self.exploration_episodes} exploration then {self.exploitation_episodes} exploitation episodes; "
            f"{'greedy' if self.greedy else 'noisy'}; seed {self.seed}; intervals over {self.interval}"
        )


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Scores of a trained agent, or of one agent per seed, on one split of a family."""

    family: str
    """Name of the family."""
    algorithm: str
    """Name of the algorithm."""
    split: str
    """`test`, `validation` or `train`."""
    trials: int
    """Trials of each agent."""
    exploitation_return: Estimate
    """The score: undiscounted return of an exploitation episode."""
    exploration_return: float
    """Mean undiscounted return of an exploration episode; it does not count."""
    exploration_length: float
    """Mean steps of an exploration episode."""
    per_episode: tuple[Estimate, ...]
    """Return of the first exploitation episode of a trial, of the second, ..."""
    protocol: EvaluationProtocol
    """How all this was measured."""
    run_dir: str
    """Where the run is, or the runs are."""
    seeds: tuple["Evaluation", ...] = ()
    """One evaluation per seed; empty for a single run."""

    def to_dict(self) -> dict[str, Any]:
        """Everything as what JSON can hold, without NaN."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["exploitation_return"] = self.exploitation_return.to_dict()
        plain["per_episode"] = [estimate.to_dict() for estimate in self.per_episode]
        plain["protocol"] = dataclasses.asdict(self.protocol)
        plain["seeds"] = [single.to_dict() for single in self.seeds]
        if not self.seeds:
            del plain["seeds"]
        return plain

    @staticmethod
    def from_dict(content: object) -> "Evaluation":
        """Read back what `to_dict` gave, also after a detour through JSON.

        Raises:
            ScoutError: a field is missing or has another type.
        """
        return decode(content, Evaluation, "an evaluation")

    def __str__(self) -> str:
        lines = [
            f"{self.algorithm} on {self.family}: {self.protocol}",
            f"exploitation return  {self.exploitation_return}",
            f"exploration return   {self.exploration_return:.3f}",
            f"exploration length   {self.exploration_length:.2f} steps",
        ]
        if len(self.per_episode) > 1:
            lines += [f"  exploitation episode {i}  {estimate}" for i, estimate in enumerate(self.per_episode, 1)]
        lines += [f"  {single.run_dir}  {single.exploitation_return}" for single in self.seeds]
        return "\n".join(lines)


def over_seeds(singles: Sequence[Evaluation], run_dir: str) -> Evaluation:
    """One evaluation of several seeds, whose means are the samples; of one seed, that seed's own."""
    first = singles[0]
    if len(singles) == 1:
        return first
    episodes = zip(*(single.per_episode for single in singles), strict=True)
    return dataclasses.replace(
        first,
        exploitation_return=Estimate.of([single.exploitation_return.mean for single in singles]),
        exploration_return=float(np.mean([single.exploration_return for single in singles])),
        exploration_length=float(np.mean([single.exploration_length for single in singles])),
        per_episode=tuple(Estimate.of([estimate.mean for estimate in same]) for same in episodes),
        protocol=dataclasses.replace(first.protocol, interval="seeds"),
        run_dir=run_dir,
        seeds=tuple(singles),
    )
