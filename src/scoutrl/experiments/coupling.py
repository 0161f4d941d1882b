"""The coupling problem: samples to the optimum against the number of actions, on the family `lever`.

To explore well one has to know what it is good for, and to exploit well one has to have explored. Who learns both end
to end sees that exploring pays only when both happen to be right, one time in |A|²; who learns them apart, one time in
|A| (Liu et al. 2021, section 5).
"""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from scoutrl._platform import pin_threads
from scoutrl.engines.seeds import SeedGroup, train_groups
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.experiments.variants import Variant, read_variants
from scoutrl.report.coupling_plot import draw_coupling
from scoutrl.results.growth import AT_OPTIMUM, RATES, Growth, Point, first_solved, rate
from scoutrl.runs.config import LARGEST_SEED, make_algorithm, resolve
from scoutrl.runs.files import write_text, writing
from scoutrl.runs.metrics import newest, read_rows
from scoutrl.runs.presets import presets
from scoutrl.runs.run_dir import RunDirectory
from scoutrl.runs.settings import counted
from scoutrl.training.compilation import use_compilation_cache
from scoutrl.trials.trial import Trial

FAMILY = "lever"
SIZES = (4, 8, 16, 32, 64)
"""Numbers of levers that are tried unless others are asked for."""
PER_SQUARE, AT_LEAST = 100, 8_000
"""Environment steps of a seed, for each |A|² and besides, unless others are asked for."""
_PRESET = "coupling"
_EVERY = 4
"""Environment steps between two evaluations, for each lever."""
TARGETS = {"explores": "test_revealed", "solves": "test_return"}
"""What is waited for, and the metric that tells: the explorer pulls the telling lever; all problems are solved."""


@dataclasses.dataclass(frozen=True)
class Learner:
    """One algorithm, or variant, over all sizes."""

    label: str
    """As it was asked for."""
    settings: dict[str, Any]
    """Every hyper-parameter."""
    steps_per_trial: int
    """Environment steps of a trial: one for each episode."""
    growth: dict[str, Growth]
    """For each of `TARGETS`, how samples grow with |A|."""


@dataclasses.dataclass(frozen=True)
class Coupling:
    """What was found."""

    path: Path
    """Directory with the runs, results.json and the plot."""
    sizes: tuple[int, ...]
    """Numbers of levers."""
    seeds: int
    """Seeds of each algorithm at each size."""
    learners: tuple[Learner, ...]
    """In the order they were asked for."""

    @property
    def failures(self) -> list[str]:
        """Every failed seed, by name and with the reason."""
        one_target = next(iter(TARGETS))
        points = [(one.label, point) for one in self.learners for point in one.growth[one_target].points]
        return [
            f"{label}, {point.size} levers, seed {seed}: {reason}"
            for label, point in points
            for seed, reason in point.failed.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """The content of results.json."""
        return {
            "family": FAMILY,
            "sizes": list(self.sizes),
            "seeds": self.seeds,
            "definition": "env_steps: steps lived at the first evaluation from which on the greedy agent is at the "
            f"optimum at every evaluation; explores: it pulls the telling lever in {AT_OPTIMUM:.0%} of the problems; "
            f"solves: it earns {AT_OPTIMUM:.0%} of the best return. Each evaluation has every problem once.",
            "rates": {name: _slope_of_rate(power, self.sizes) for name, power in RATES.items()},
            "algorithms": [
                {"label": one.label, "settings": one.settings, "steps_per_trial": one.steps_per_trial}
                | {target: growth.to_dict() for target, growth in one.growth.items()}
                for one in self.learners
            ],
        }


def coupling(
    out: str | os.PathLike[str],
    algorithms: Sequence[str] = ("dream", "e-rl2"),
    sizes: Sequence[int] = SIZES,
    seeds: int = 10,
    *,
    steps: int | None = None,
    show: bool = True,
) -> Coupling:
    """Measure how the samples to the optimum grow with the number of actions.

    Called again it goes on where it was stopped; sizes, seeds, algorithms and steps may be added. `out` then holds
    results.json and a plot. Seeds that do not arrive within the budget are named and count with the budget.

    Args:
        out: directory for it all.
        algorithms: as for `compare`; those that have a preset "coupling" for `lever` begin from it.
        sizes: numbers of levers |A|, each at least 2.
        seeds: independent seeds at each size: 0, 1, …
        steps: environment steps of every seed at the largest size; smaller ones get their share of it by |A|², and
            `AT_LEAST` besides. None is `PER_SQUARE` times |A|².
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    pin_threads()
    use_compilation_cache()
    sizes = sorted({counted("sizes", size, 2) for size in sizes})
    if not sizes:
        raise ScoutError("name one number of levers or more, for example --sizes 4 8 16.")
    count = counted("seeds", seeds, most=LARGEST_SEED)
    per_square = PER_SQUARE if steps is None else counted("steps", steps) / sizes[-1] ** 2
    entries, path = read_variants(algorithms), Path(out)
    groups = [
        [_group(entry, size, count, AT_LEAST + round(per_square * size**2), path) for size in sizes]
        for entry in entries
    ]
    with RunDirectory(path) as directory:
        _settle(directory)
        failures: dict[Path, str] = {}
        try:
            every = [group for same in groups for group in same]
            train_groups(every, path, "vmap", show=show, measure=_revealed)
        except RunsFailedError as failed:
            failures = failed.reasons
        learners = tuple(_learner(entry, same, failures) for entry, same in zip(entries, groups, strict=True))
        found = Coupling(path, tuple(sizes), count, learners)
        with writing(path):
            write_text(path / "results.json", json.dumps(found.to_dict(), indent=1, allow_nan=False) + "\n")
            draw_coupling(found)
    return found


def _revealed(trial: Trial) -> dict[str, Array]:
    """Whether exploring has shown which lever pays."""
    seen = trial.exploration.observations[:, 1:] * trial.exploration.mask
    return {"revealed": (seen > 0).any().astype(jnp.float32)}


def _group(entry: Variant, size: int, seeds: int, steps: int, out: Path) -> SeedGroup:
    """All seeds of one algorithm at one size."""
    preset = entry.preset or (_PRESET if _PRESET in presets(entry.algorithm, FAMILY) else None)
    sets = {"env.size": size, "evaluation_trials": size} | entry.sets
    config = resolve(entry.algorithm, FAMILY, preset, steps, 0, sets)
    algorithm = make_algorithm(config)
    lived = algorithm.trials_per_iteration * (algorithm.exploration_episodes + algorithm.exploitation_episodes)
    iterations = max(1, _EVERY * size // lived)
    # More evaluations than chunks: one after each.
    config = dataclasses.replace(config, iterations=iterations, evaluations=steps)
    return SeedGroup(config, seeds, out / entry.directory / f"size-{size}", f"{entry.label}, {size} levers")


def _settle(directory: RunDirectory) -> None:
    """Mark the directory, or check that it is marked; what the runs in it are they say themselves."""
    there = directory.read_config()
    if there is not None and "coupling" not in there:
        raise ScoutError(f"{directory.path} holds something else; name another directory with --out DIR.")
    directory.write_config(json.dumps({"coupling": {"family": FAMILY}}, indent=2) + "\n")


def _learner(entry: Variant, groups: Sequence[SeedGroup], failures: Mapping[Path, str]) -> Learner:
    algorithm = make_algorithm(groups[0].config)
    growth = {
        target: Growth.of([_point(group, metric, failures) for group in groups]) for target, metric in TARGETS.items()
    }
    return Learner(
        entry.label, groups[0].config.settings, algorithm.exploration_episodes + algorithm.exploitation_episodes, growth
    )


def _point(group: SeedGroup, metric: str, failures: Mapping[Path, str]) -> Point:
    sound = [seed for seed in group.seeds if seed.out not in failures]
    arrived = {seed.config.seed: first_solved(read_rows(seed.out), metric) for seed in sound}
    failed = {seed.config.seed: failures[seed.out] for seed in group.seeds if seed.out in failures}
    config = group.config
    algorithm = make_algorithm(config)
    every = (
        config.iterations
        * algorithm.trials_per_iteration
        * (algorithm.exploration_episodes + algorithm.exploitation_episodes)
    )
    # Runs that were made longer before are used as they are.
    budget = min((int(newest(seed.out)["env_steps"]) for seed in sound), default=config.steps)
    return Point.of(config.family_options.get("size", 64), budget, every, arrived, failed)


def _slope_of_rate(power: int, sizes: Sequence[int]) -> float | None:
    """The slope that a rate itself has over these sizes: its logarithm adds to the power."""
    points = [Point.of(size, 0, 0, {0: round(1e6 * float(rate(power, [size])[0]))}, {}) for size in sizes]
    return Growth.of(points).slope
