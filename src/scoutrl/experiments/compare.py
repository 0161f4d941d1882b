"""The comparison of algorithms: train every seed of each, evaluate all in the same way, sum up over the seeds."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scoutrl._platform import accelerator
from scoutrl.engines.cluster import Cluster
from scoutrl.engines.seed_process import SeedRun
from scoutrl.engines.seeds import SeedGroup, train_groups
from scoutrl.envs import Spec
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.evaluation.evaluate import evaluate_runs
from scoutrl.evaluation.scores import Evaluation
from scoutrl.exact.bounds import bounds, has_bounds
from scoutrl.exact.exploration import exploration_length
from scoutrl.experiments.comparison_dir import describe_comparison
from scoutrl.experiments.plan import Plan, plan
from scoutrl.results.comparison import AlgorithmResult, Budget, Comparison, SeedResult
from scoutrl.results.curves import curve
from scoutrl.results.files import write_results
from scoutrl.results.statistics import Iqm
from scoutrl.runs.config import MOST_SEEDS, MOST_TRIALS
from scoutrl.runs.metrics import newest, read_rows
from scoutrl.runs.provenance import Provenance, read_provenance
from scoutrl.runs.run_dir import RunDirectory
from scoutrl.runs.settings import counted
from scoutrl.training.compilation import use_compilation_cache

_EVALUATION_SEED = 0


def compare(
    family: str | Spec,
    algorithms: Sequence[str],
    seeds: int,
    out: str | os.PathLike[str],
    *,
    steps: int | None = None,
    minutes: float | None = None,
    trials: int = 1000,
    settings: Mapping[str, Any] | Iterable[str] = (),
    show: bool = True,
    cluster: Cluster | None = None,
) -> Comparison:
    """Train, evaluate, sum up and write results.json: `scoutrl.compare` without its figures, with the same arguments.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    use_compilation_cache()
    if steps is not None and minutes is not None:
        raise ScoutError("a comparison is over --steps or over --minutes; give one of the two.")
    if minutes is not None and not 0 < minutes < math.inf:
        raise ScoutError(f"minutes must be a number above 0, for example 2.5; {minutes!r} is not.")
    budget = Budget(None if steps is None else counted("steps", steps), minutes)
    count, trials = counted("seeds", seeds, most=MOST_SEEDS), counted("trials", trials, most=MOST_TRIALS)
    return carry_out(plan(family, algorithms, count, Path(out), budget, trials, settings), show, cluster)


def carry_out(planned: Plan, show: bool, cluster: Cluster | None = None) -> Comparison:
    """Train what is not trained yet, evaluate, and write results.json.

    Seeds that fail are in the result, with the reason.

    Raises:
        ScoutError: the directory belongs to another comparison or cannot be written to.
        Interrupted: SIGINT or SIGTERM; all is saved, and the same plan goes on from there.
    """
    with RunDirectory(planned.out) as directory:
        describe_comparison(directory, planned.groups, planned.budget)
        failures: dict[Path, str] = {}
        try:
            train_groups(planned.groups, planned.out, env=planned.own, show=show, cluster=cluster)
        except RunsFailedError as failed:
            failures = failed.reasons
        config, exact = planned.groups[0].config, _bounds(planned.env)
        comparison = Comparison(
            path=planned.out,
            family=config.family,
            family_options=config.family_options,
            budget=planned.budget,
            trials=planned.trials,
            seed=_EVALUATION_SEED,
            bounds={name: value["test"] for name, value in exact.items()},
            validation_bounds={name: value["validation"] for name, value in exact.items()},
            shortest_exploration=exploration_length(planned.env)["test"],
            algorithms=tuple(_algorithm_result(planned, group, failures) for group in planned.groups),
            evaluated_with=Provenance.now(accelerator()),
        )
        write_results(planned.out, comparison.to_dict())
    return comparison


def _algorithm_result(planned: Plan, group: SeedGroup, failures: Mapping[Path, str]) -> AlgorithmResult:
    """Evaluate the seeds of a group that did not fail, all with one compiled program, and sum up."""
    sound = [seed.out for seed in group.seeds if seed.out not in failures]
    evaluation = None
    if sound:
        evaluation = evaluate_runs(sound, planned.trials, "test", _EVALUATION_SEED, planned.env, str(group.out))
    scores = dict(zip(sound, (evaluation.seeds or [evaluation]) if evaluation else [], strict=True))
    rows = [read_rows(path) for path in sound]
    return AlgorithmResult(
        label=group.label,
        algorithm=group.config.algorithm,
        preset=group.config.preset,
        settings=group.config.settings,
        final=Iqm.of([score.exploitation_return.mean for score in scores.values()]) if scores else None,
        seeds=tuple(_seed_result(seed, planned.out, scores.get(seed.out), failures) for seed in group.seeds),
        by_steps=curve(rows, "env_steps"),
        by_seconds=curve(rows, "seconds"),
        protocol=evaluation.protocol if evaluation else None,
    )


def _seed_result(seed: SeedRun, within: Path, score: Evaluation | None, failures: Mapping[Path, str]) -> SeedResult:
    row = newest(seed.out)
    return SeedResult(
        seed=seed.config.seed,
        run_dir=seed.out.relative_to(within).as_posix(),
        env_steps=int(row.get("env_steps", 0)),
        updates=int(row.get("updates", 0)),
        seconds=float(row.get("seconds", 0.0)),
        exploitation_return=score.exploitation_return.mean if score else None,
        exploration_return=score.exploration_return if score else None,
        exploration_length=score.exploration_length if score else None,
        failure=failures.get(seed.out),
        provenance=read_provenance(seed.out),
    )


def _bounds(env: Spec) -> dict[str, dict[str, float]]:
    return bounds(env) if has_bounds(env) else {}
