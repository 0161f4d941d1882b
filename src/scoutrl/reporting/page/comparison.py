"""The page of a comparison: from its results, and from the runs of each algorithm where they still are."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.evaluation.scores import Estimate
from scoutrl.quiet import tell
from scoutrl.reporting.page import again
from scoutrl.reporting.page.bars import length_bars, main_bounds, return_bars
from scoutrl.reporting.page.curves import Group, charts
from scoutrl.reporting.page.html import Page, fill
from scoutrl.reporting.page.numbers import shown
from scoutrl.reporting.page.watched import Watched, player, table
from scoutrl.reporting.tables import HEAD, rows_of
from scoutrl.results.comparison import AlgorithmResult, Comparison
from scoutrl.results.statistics import Improvement
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.open import open_run

NOTHING: Mapping[str, Any] = {"cases": [], "lanes": [], "lives": [], "actions": [], "legend": []}
"""Data of a player that has nothing to show."""


def comparison_page(found: Comparison, env: Spec | None, trust: bool) -> Page:
    """The page of a comparison; of each algorithm the seed of the middle return is watched, all on the same problems.

    Args:
        found: the results.
        env: the family, where it cannot be made from its name.
        trust: import code that the runs name and that is not installed.
    """
    lanes = _lanes(found, env, trust)
    cases, data = player(lanes) if lanes else ([], NOTHING)
    scores = {one.label: Estimate(one.final.iqm, one.final.ci95) for one in found.algorithms if one.final is not None}
    lengths = {
        one.label: float(np.mean(one.exploration_lengths)) for one in found.algorithms if one.exploration_lengths
    }
    horizon = lanes[0].trained.env.horizon if lanes else None
    groups = [
        Group(one.label, [read_rows(found.path / seed.run_dir) for seed in one.sound], one.by_steps, one.by_seconds)
        for one in found.algorithms
    ]
    context = {
        "title": f"{', '.join(one.label for one in found.algorithms)} on {found.family}",
        "sentence": _sentence(found),
        "watched": "Of each algorithm, the seed with the middle return is shown.",
        "returns": return_bars(scores, found.bounds, _seeds(found)),
        "lengths": length_bars(lengths, found.shortest_exploration, horizon),
        "cases": table(cases),
        "tells": False,
        "latent": None,
        "again": _again(found),
        "seeds": [],
        "comparison": {
            "head": HEAD,
            "rows": list(rows_of(found)),
            "improvements": list(_improvements(found)),
            "failures": found.failures,
        },
    }
    curves = charts(groups, main_bounds(found.curves_bounds), f"Return {found.curves_where}")
    return fill(context, {**data, "latent": None, "charts": curves})


def _lanes(found: Comparison, env: Spec | None, trust: bool) -> list[Watched]:
    """A trained agent of each algorithm; those whose runs can no longer be opened are left out, which is told."""
    lanes = []
    for one in found.algorithms:
        scored = [seed for seed in one.sound if seed.exploitation_return is not None]
        if not scored:
            continue
        seed = sorted(scored, key=lambda seed: seed.exploitation_return or 0.0)[len(scored) // 2]
        try:
            lanes.append(Watched.of(open_run(found.path / seed.run_dir, env, trust), one.label))
        except ScoutError as error:
            tell(f"{one.label} cannot be watched: {error}")
    for other in (lane for lane in lanes if lane.trials.phases != lanes[0].trials.phases):
        tell(f"{other.label} cannot be watched beside {lanes[0].label}: its trials have other episodes.")
    return [lane for lane in lanes if lane.trials.phases == lanes[0].trials.phases]


def _seeds(found: Comparison) -> dict[str, list[float]]:
    """The returns of the seeds of each algorithm."""
    return {
        one.label: [seed.exploitation_return for seed in one.sound if seed.exploitation_return is not None]
        for one in found.algorithms
    }


def _improvements(found: Comparison) -> Iterator[dict[str, str]]:
    """How likely each algorithm is to do better than each that comes after it."""
    seeds = [(label, values) for label, values in _seeds(found).items() if values]
    for place, (label, values) in enumerate(seeds):
        for other, others in seeds[place + 1 :]:
            one = Improvement.of(values, others)
            interval = f"{shown(one.ci95[0])} to {shown(one.ci95[1])}" if one.ci95 else "unknown"
            yield {"one": label, "other": other, "probability": shown(one.probability), "interval": interval}


def _sentence(found: Comparison) -> str:
    best = max((one for one in found.algorithms if one.final is not None), key=_score, default=None)
    ahead = ""
    if best is not None and best.final is not None:
        most = f", where the best possible is {shown(found.bounds['optimum'])}" if "optimum" in found.bounds else ""
        ahead = f" {best.label} earns most {found.where}: {shown(best.final.iqm)}{most}."
    seeds = max(len(one.seeds) for one in found.algorithms)
    return (
        f"{len(found.algorithms)} algorithms were trained on {found.family} for {found.budget}, each with {seeds} "
        f"seeds.{ahead} Means are interquartile means over seeds, with 95% bootstrap intervals."
    )


def _score(one: AlgorithmResult) -> float:
    return one.final.iqm if one.final is not None else -np.inf


def _again(found: Comparison) -> dict[str, Any] | None:
    if found.evaluated_with is None:
        return None
    config = [("family", found.family), ("budget", str(found.budget)), ("trials of each seed", f"{found.trials:,}")]
    config += [(f"env.{name}", str(value)) for name, value in found.family_options.items()]
    facts = again.facts(found.evaluated_with)
    return {
        "command": found.evaluated_with.command,
        "changed": [],
        "parts": [{"from": "0", "facts": facts}],
        "config": config,
    }
