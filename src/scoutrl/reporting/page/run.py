"""The page of one run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoutrl.envs import MetaEnv
from scoutrl.evaluation.recording import RecordedTrials
from scoutrl.evaluation.scores import Estimate
from scoutrl.reporting.known_bounds import KnownBounds, known_bounds
from scoutrl.reporting.page import again
from scoutrl.reporting.page.bars import BOUNDS, length_bars, return_bars
from scoutrl.reporting.page.curves import charts
from scoutrl.reporting.page.html import Page, fill
from scoutrl.reporting.page.latent import latent
from scoutrl.reporting.page.lives import Case, all_cases, chosen, lives, play_trials
from scoutrl.reporting.page.numbers import count, shown
from scoutrl.reporting.page.pictures import address
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.open import TrainedRun
from scoutrl.runs.provenance import read_provenance
from scoutrl.trials.agent import Phase


def run_page(trained: TrainedRun) -> Page:
    """The page of one seed of a run, from its directory and greedy trials on its test problems."""
    env, config = trained.env, trained.config
    trials = play_trials(trained)
    found = chosen(all_cases(trials))
    known = known_bounds(env)
    scores = Estimate.of(trials.returns(Phase.EXPLOITATION))
    explored = float(trials.lengths(Phase.EXPLORATION).mean())
    about_z = latent(trained, trials)
    context = {
        "title": f"{config.algorithm} on {config.family}, seed {config.seed}",
        "sentence": _sentence(trained, trials, scores, explored, known),
        "returns": return_bars({config.algorithm: scores}, known.on("test")),
        "lengths": length_bars({config.algorithm: explored}, known.shortest, env.horizon),
        "cases": _rows(found),
        "tells": bool(np.isfinite(trials.known()).all()),
        "latent": about_z,
        "again": _again(trained),
        "seeds": [],
        "algorithms": [],
    }
    data = {
        "cases": cases_data(env, trials, found),
        "lanes": [config.algorithm],
        "lives": [[one] for one in lives(trials, [case.trial for case in found])],
        "latent": about_z,
        "charts": charts(read_rows(trained.path), main_bounds(known.on("validation"))),
        **words(env),
    }
    return fill(context, data)


def main_bounds(known: Mapping[str, float]) -> dict[str, float]:
    """The bounds that are drawn into curves, where there is little room."""
    return {name: known[name] for name in BOUNDS if name in known}


def words(env: MetaEnv) -> dict[str, Any]:
    """Names of actions, and the legend."""
    description = env.describe()
    return {
        "actions": [str(name) for name in description.actions],
        "legend": [{"meaning": one.meaning, "source": address(one.picture)} for one in description.legend],
    }


def cases_data(env: MetaEnv, trials: RecordedTrials, found: list[Case]) -> list[dict[str, Any]]:
    """What the player says of each problem."""
    beside = env.describe().beside
    return [
        {
            "problem": case.problem,
            "goal": case.goal,
            "score": shown(case.score),
            "beside": None if beside is None else address(beside(trials.ids[case.trial])),
        }
        for case in found
    ]


def _rows(found: list[Case]) -> list[Mapping[str, Any]]:
    """The table of problems; what it sorts by stands beside what it shows."""
    return [
        {
            "problem": case.problem,
            "goal": case.goal,
            "trials": case.trials,
            "score": (case.score, shown(case.score)),
            "explored": (case.explored, shown(case.explored, 1)),
            "residual": (case.residual, shown(case.residual)),
        }
        for case in found
    ]


def _sentence(
    trained: TrainedRun,
    trials: RecordedTrials,
    scores: Estimate,
    explored: float,
    known: KnownBounds,
) -> str:
    """What was trained, and what came of it."""
    config, problems = trained.config, trained.env.problems
    unseen = not np.isin(problems.test, problems.train).any()
    interval = f" (95% interval {shown(scores.ci95[0])} to {shown(scores.ci95[1])})" if scores.ci95 else ""
    best = f"; the best possible is {shown(known.on('test')['optimum'])}" if known.returns else ""
    shortest = known.shortest
    least = f", where {shown(shortest.steps, 1)} suffice" if shortest is not None and shortest.steps is not None else ""
    which = "problems it has never seen" if unseen else "its training problems (the family has no others)"
    return (
        f"{config.algorithm} was trained on {config.family} for {count(trained.env_steps)} environment steps. "
        f"On {which}, in {len(trials.ids)} greedy trials, it earns {shown(scores.mean)}{interval}{best}. "
        f"It explores for {shown(explored, 1)} steps{least}."
    )


def _again(trained: TrainedRun) -> dict[str, Any]:
    history = read_provenance(trained.path)
    return {
        "command": again.command(trained.config),
        "changed": again.changed(trained.config),
        "parts": [
            {"from": count(steps), "facts": again.facts(one)} for steps, one in sorted(history.items(), reverse=True)
        ],
        "config": sorted((name, str(value)) for name, value in trained.config.identity().items() if name != "settings"),
    }
