"""What a comparison is to do, settled and checked before anything is computed."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scoutrl.engines.seeds import SeedGroup
from scoutrl.envs import MetaEnv
from scoutrl.envs.check import check_own
from scoutrl.experiments.variants import read_variants
from scoutrl.results.comparison import Budget
from scoutrl.runs.config import RunConfig, make_algorithm, make_env, resolve
from scoutrl.runs.settings import assignments
from scoutrl.training.state import shapes


@dataclasses.dataclass(frozen=True)
class Plan:
    """A comparison to be made."""

    env: MetaEnv
    """The family."""
    own: MetaEnv | None
    """The same if it was handed over as an object; None if it is known by name."""
    groups: tuple[SeedGroup, ...]
    """The seeds to train of each entry."""
    budget: Budget
    """Training of each seed."""
    trials: int
    """Trials behind the score of each seed."""
    out: Path
    """Directory for it all."""


def plan(
    family: str | MetaEnv,
    algorithms: Sequence[str],
    seeds: int,
    out: Path,
    budget: Budget,
    trials: int,
    sets: Iterable[str] | Mapping[str, Any],
) -> Plan:
    """Settle everything, and refuse what cannot be done, before anything is computed or written.

    Args:
        family: name, `package.module:ClassName`, or an object.
        algorithms: entries as text (`read_variants`).
        seeds: number of seeds of each, 0, 1, …
        out: directory of the comparison.
        budget: if it says nothing, the most steps that a preset of the entries has, the same for all.
        trials: trials behind each score.
        sets: settings of all entries, and options of the family.

    Raises:
        ScoutError: an unknown name, a setting or value that does not exist, an algorithm that cannot be used on the
            family.
    """
    entries = read_variants(algorithms)
    common = assignments(sets)
    configs = [resolve(e.algorithm, family, e.preset, None, 0, common | e.sets) for e in entries]
    if budget.steps is None and budget.minutes is None:
        budget = Budget(max(config.steps for config in configs), None)
    own = None if isinstance(family, str) else family
    env = make_env(configs[0]) if own is None else own
    check_own(env)
    for config in configs:
        # An algorithm says what it cannot deal with when it draws its networks.
        shapes(env, make_algorithm(config))
    groups = [
        SeedGroup(_as_long_as(config, budget), seeds, out / entry.directory, entry.label)
        for entry, config in zip(entries, configs, strict=True)
    ]
    return Plan(env, own, tuple(groups), budget, trials, out)


def _as_long_as(config: RunConfig, budget: Budget) -> RunConfig:
    if budget.steps is not None:
        return dataclasses.replace(config, steps=budget.steps)
    assert budget.minutes is not None
    return dataclasses.replace(config, seconds=60.0 * budget.minutes)
