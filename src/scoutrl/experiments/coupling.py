"""The coupling problem: samples to the optimum against the number of actions, on the family `lever`.

To explore well one has to know what it is good for, and to exploit well one has to have explored. Learning both end to
end shows that exploring pays only when both happen to be right, one time in |A|²; learning them apart, one time in |A|
(Liu et al. 2021, section 5).
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax.numpy as jnp
from jaxtyping import Array

from scoutrl.engines.seeds import SeedGroup, train_groups
from scoutrl.errors import RunsFailedError
from scoutrl.experiments.coupling_plan import plan_coupling, steps_per_evaluation, steps_per_trial
from scoutrl.results.coupling import FAMILY, Coupling, CouplingResult
from scoutrl.results.files import write_results
from scoutrl.results.growth import Growth, SizeResult, first_solved
from scoutrl.runs.begun import to_continue
from scoutrl.runs.metrics import RETURN, newest, read_rows
from scoutrl.runs.provenance import read_provenance
from scoutrl.runs.run_dir import COUPLING, RunDirectory
from scoutrl.training.compilation import use_compilation_cache
from scoutrl.trials.trial import Trial


def coupling(
    out: str | os.PathLike[str],
    algorithms: Sequence[str],
    sizes: Sequence[int],
    seeds: int,
    *,
    steps: int | None = None,
    show: bool = True,
) -> Coupling:
    """Train, sum up and write results.json: `scoutrl.coupling` without its figure, with the same arguments.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    use_compilation_cache()
    planned = plan_coupling(algorithms, sizes, seeds, steps, Path(out))
    with RunDirectory(planned.out) as directory:
        _mark(directory)
        failures: dict[Path, str] = {}
        try:
            every = [group for groups in planned.groups.values() for group in groups]
            train_groups(every, planned.out, "vmap", show=show, measure=_revealed)
        except RunsFailedError as failed:
            failures = failed.reasons
        results = tuple(_coupling_result(label, groups, failures) for label, groups in planned.groups.items())
        found = Coupling(planned.out, planned.sizes, planned.seeds, results)
        write_results(planned.out, found.to_dict())
    return found


def _mark(directory: RunDirectory) -> None:
    """Mark the directory as that of a coupling experiment; its runs have configurations of their own.

    Raises:
        ScoutError: it is the directory of something else.
    """
    to_continue(directory.path, directory.read_config(), COUPLING)
    directory.write_config(json.dumps({"coupling": {"family": FAMILY}}, indent=2) + "\n")


def _revealed(trial: Trial) -> dict[str, Array]:
    """Whether the exploration episode has shown which lever pays: 1 or 0."""
    seen = trial.exploration.observations[:, 1:] * trial.exploration.mask
    return {"revealed": (seen > 0).any().astype(jnp.float32)}


def _coupling_result(label: str, groups: Sequence[SeedGroup], failures: Mapping[Path, str]) -> CouplingResult:
    """Sum up one algorithm, given by one group of seeds for each size."""

    def growth(metric: str) -> Growth:
        return Growth.of([_size_result(group, metric, failures) for group in groups])

    config = groups[0].config
    return CouplingResult(
        label,
        config.settings,
        steps_per_trial(config),
        explores=growth("validation_revealed"),
        solves=growth(RETURN),
        provenance={
            _size(group): {seed.config.seed: read_provenance(seed.out) for seed in group.seeds} for group in groups
        },
    )


def _size(group: SeedGroup) -> int:
    return group.config.family_options.get("size", 64)


def _size_result(group: SeedGroup, metric: str, failures: Mapping[Path, str]) -> SizeResult:
    """When each seed of a group brought `metric` to its optimum."""
    sound = [seed for seed in group.seeds if seed.out not in failures]
    solved = {seed.config.seed: first_solved(read_rows(seed.out), metric) for seed in sound}
    failed = {seed.config.seed: failures[seed.out] for seed in group.seeds if seed.out in failures}
    # Runs that were made longer before are used as they are.
    lived = [newest(seed.out).get("env_steps", group.config.steps) for seed in sound]
    budget = int(min(lived, default=group.config.steps))
    return SizeResult.of(_size(group), budget, steps_per_evaluation(group.config), solved, failed)
