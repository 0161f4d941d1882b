"""What a comparison is to train, resolved and checked before anything is computed."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scoutrl.engines.seeds import SeedGroup
from scoutrl.envs import Spec
from scoutrl.envs.check import check_own
from scoutrl.experiments.variants import read_variants
from scoutrl.results.comparison import Budget
from scoutrl.runs.config import RunConfig, make_algorithm, resolve
from scoutrl.runs.families import build_checked
from scoutrl.runs.settings import assignments
from scoutrl.training.state import state_like


@dataclasses.dataclass(frozen=True)
class Plan:
    """A comparison to be made."""

    env: Spec
    """The family of environments."""
    own: Spec | None
    """The family if it was given as an object; None if it was given by name."""
    groups: tuple[SeedGroup, ...]
    """The seeds to train of each algorithm or variant."""
    budget: Budget
    """Training of each seed."""
    trials: int
    """Trials in the evaluation of each seed."""
    out: Path
    """Directory of the comparison."""


def plan(
    family: str | Spec,
    algorithms: Sequence[str],
    seeds: int,
    out: Path,
    budget: Budget,
    trials: int,
    sets: Iterable[str] | Mapping[str, Any],
) -> Plan:
    """Resolve and check everything, before anything is computed or written.

    Args:
        family: name, `package.module:ClassName`, or an object.
        algorithms: algorithms or variants as text (`read_variants`).
        seeds: number of seeds of each, 0, 1, …
        out: directory of the comparison.
        budget: the training of each seed; if both its fields are None, all get the most steps that a preset says.
        trials: trials in the evaluation of each seed.
        sets: settings of all algorithms, and options of the family.

    Raises:
        ScoutError: an unknown name, a setting or value that does not exist, an algorithm that cannot be used on the
            family.
    """
    variants = read_variants(algorithms)
    common = assignments(sets)
    configs = [resolve(v.algorithm, family, v.preset, None, 0, common | v.sets) for v in variants]
    if budget.steps is None and budget.minutes is None:
        budget = Budget(max(config.steps for config in configs), None)
    own = None if isinstance(family, str) else family
    if own is None:
        env = build_checked(configs[0].family, configs[0].family_options)
    else:
        check_own(env := own)
    for config in configs:
        # An algorithm says what it cannot deal with when it draws its networks.
        state_like(env, make_algorithm(config))
    groups = [
        SeedGroup(_with_budget(config, budget), seeds, out / variant.directory, variant.label)
        for variant, config in zip(variants, configs, strict=True)
    ]
    return Plan(env, own, tuple(groups), budget, trials, out)


def _with_budget(config: RunConfig, budget: Budget) -> RunConfig:
    """`config` with that budget to its end: no run stops early, as presets have it."""
    if budget.steps is not None:
        return dataclasses.replace(config, steps=budget.steps, until=None)
    assert budget.minutes is not None
    return dataclasses.replace(config, seconds=60.0 * budget.minutes, until=None)
