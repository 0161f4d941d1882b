"""What the coupling experiment is to train: every algorithm at every number of levers."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from scoutrl.engines.seeds import SeedGroup
from scoutrl.errors import ScoutError
from scoutrl.experiments.variants import Variant, read_variants
from scoutrl.results.coupling import FAMILY
from scoutrl.runs.config import MOST_SEEDS, RunConfig, make_algorithm, resolve
from scoutrl.runs.presets import presets
from scoutrl.runs.settings import counted

PER_SQUARE, AT_LEAST = 100, 8_000
"""Environment steps of a seed at size |A|, unless others are asked for: `AT_LEAST` plus `PER_SQUARE` times |A|²."""
_PRESET = "coupling"
_EVERY = 4
"""Environment steps between two evaluations, for each lever."""


@dataclasses.dataclass(frozen=True)
class CouplingPlan:
    """A coupling experiment to be made."""

    out: Path
    """Directory of the experiment."""
    sizes: tuple[int, ...]
    """Numbers of levers, in rising order."""
    seeds: int
    """Seeds of each algorithm at each size."""
    groups: dict[str, list[SeedGroup]]
    """For each algorithm or variant, by its label, the seeds to train at each size."""


def plan_coupling(
    algorithms: Sequence[str], sizes: Sequence[int], seeds: int, steps: int | None, out: Path
) -> CouplingPlan:
    """Resolve and check everything, before anything is computed or written; the arguments are those of `coupling`.

    Raises:
        ScoutError: an unknown algorithm or setting, a size below 2, or no size or algorithm at all.
    """
    ordered = sorted({counted("sizes", size, 2) for size in sizes})
    if not ordered:
        raise ScoutError("name one number of levers or more, for example --sizes 4 8 16.")
    count = counted("seeds", seeds, most=MOST_SEEDS)
    per_square = PER_SQUARE if steps is None else counted("steps", steps) / ordered[-1] ** 2
    budgets = {size: AT_LEAST + round(per_square * size**2) for size in ordered}
    groups = {
        variant.label: [_group(variant, size, count, budget, out) for size, budget in budgets.items()]
        for variant in read_variants(algorithms)
    }
    return CouplingPlan(out, tuple(ordered), count, groups)


def steps_per_trial(config: RunConfig) -> int:
    """Environment steps of a trial in `lever`, whose episodes have one step each."""
    algorithm = make_algorithm(config)
    return algorithm.exploration_episodes + algorithm.exploitation_episodes


def steps_per_evaluation(config: RunConfig) -> int:
    """Environment steps between two evaluations: those of one chunk."""
    return config.iterations * _steps_per_iteration(config)


def _group(variant: Variant, size: int, seeds: int, steps: int, out: Path) -> SeedGroup:
    """All seeds of one algorithm at one size."""
    preset = variant.preset or (_PRESET if _PRESET in presets(variant.algorithm, FAMILY) else None)
    settings = {"env.size": size, "evaluation_trials": size} | variant.sets
    config = resolve(variant.algorithm, FAMILY, preset, steps, 0, settings)
    iterations = max(1, _EVERY * size // _steps_per_iteration(config))
    # So many evaluations that there is one after each chunk.
    config = dataclasses.replace(config, iterations=iterations, evaluations=steps)
    return SeedGroup(config, seeds, out / variant.directory / f"size-{size}", f"{variant.label}, {size} levers")


def _steps_per_iteration(config: RunConfig) -> int:
    return make_algorithm(config).trials_per_iteration * steps_per_trial(config)
