"""One seed's race to a target: train, stop where the metrics say it is reached, confirm, go on if it is not."""

import dataclasses
from pathlib import Path
from typing import Any

from benchmarks.watch import Seen, Training, evaluate
from scoutrl.runs.metrics import RETURN


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one seed."""

    seed: int
    seconds: float | None
    """From the start of the process to the row that told of the target, which was then confirmed; None if never."""
    env_steps: int | None
    """Environment steps of that row."""
    confirmed_at: dict[str, float]
    """Seconds and environment steps of the checkpoint that was evaluated, the one next after that row."""
    confirmation: dict[str, Any]
    """Mean and interval by split of the last evaluation with `scout evaluate`, whether it reached the target or not."""
    refused: list[dict[str, float]]
    """Moments at which the metrics told of the target and the evaluation did not confirm it."""
    curve: list[dict[str, float]]
    """Seconds, environment steps and return on validation problems of every evaluation in the metrics."""

    def __str__(self) -> str:
        said = ", ".join(f"{split} {found['mean']:.3f}" for split, found in self.confirmation.items())
        if self.seconds is None:
            return f"not reached: {said} after {self.confirmed_at['seconds']:.1f} s"
        return f"{self.seconds:.1f} s, {self.env_steps:,} env steps, then {said}"


@dataclasses.dataclass(frozen=True)
class Race:
    """What all seeds do."""

    words: list[str]
    """After `scout train`."""
    aim: float
    """Return on validation problems, which the metrics tell of, from which on the targets are looked at."""
    targets: dict[str, float]
    """Split to the return to reach."""
    limit: float
    """Seconds."""
    trials: int
    """Of the confirming evaluation."""
    scratch: Path
    """Where runs and caches go."""

    def run_dir(self, seed: int) -> Path:
        """Where a seed is trained."""
        return self.scratch / f"run-{seed}"

    def run(self, seed: int) -> Result:
        """Train one seed until it has reached the targets, or the limit or its last step is over."""
        run_dir, cache = self.run_dir(seed), self.scratch / f"cache-{seed}"
        told: list[Seen] = []
        refused: list[dict[str, float]] = []
        while True:
            claim, over = self._leg(seed, run_dir, cache, told)
            # Other programs are compiled for it, into a place of their own: the run's cache stays what it was.
            found = {split: self._judged(run_dir, split) for split in self.targets}
            reached = all(found[split]["mean"] >= target for split, target in self.targets.items())
            if reached or over:
                break
            refused.append(_moment(told[-1]))
        # At its end a run may have reached what no evaluation on the way told of.
        claim = claim or told[-1]
        return Result(
            seed=seed,
            seconds=claim.at if reached and claim.at <= self.limit else None,
            env_steps=claim.row["env_steps"] if reached and claim.at <= self.limit else None,
            confirmed_at=_moment(told[-1]),
            confirmation=found,
            refused=refused,
            curve=[_moment(one) | {"return": one.row[RETURN]} for one in told if RETURN in one.row],
        )

    def _leg(self, seed: int, run_dir: Path, cache: Path, told: list[Seen]) -> tuple[Seen | None, bool]:
        """Train until a row claims the target; adds all rows to `told`. The claim, and whether all is over."""
        before = told[-1] if told else None
        training = Training([*self.words, "--seed", str(seed)], run_dir, cache)
        claim, stopped = None, False
        try:
            for seen in training.rows():
                told.append(seen if before is None else _continued(seen, before))
                stopped_now = told[-1].at > self.limit
                if claim is None and not stopped and told[-1].row.get(RETURN, float("-inf")) >= self.aim:
                    claim, stopped_now = told[-1], True
                if stopped_now and not stopped:
                    stopped = True
                    training.stop()
        finally:
            training.kill()
        return claim, claim is None or told[-1].at > self.limit

    def _judged(self, run_dir: Path, split: str) -> dict[str, Any]:
        found = evaluate(run_dir, self.trials, split, self.scratch / "cache-evaluation")
        return found["exploitation_return"] | {"trials": found["trials"], "problems": found["protocol"]["problems"]}


def _continued(seen: Seen, before: Seen) -> Seen:
    """A row of a run that was gone on with, at the time it would have come without the stop."""
    return Seen(seen.row, before.at + seen.row["seconds"] - before.row["seconds"])


def _moment(seen: Seen) -> dict[str, float]:
    return {"seconds": round(seen.at, 2), "env_steps": seen.row["env_steps"]}
