"""The page of a run: of one seed, or of several."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoutrl.evaluation.recording import recorder
from scoutrl.evaluation.scores import Estimate
from scoutrl.reporting.known_bounds import KnownBounds, known_bounds
from scoutrl.reporting.page import again
from scoutrl.reporting.page.bars import length_bars, main_bounds, return_bars
from scoutrl.reporting.page.curves import Group, charts
from scoutrl.reporting.page.html import Page, fill
from scoutrl.reporting.page.latent import latent
from scoutrl.reporting.page.numbers import count, shown
from scoutrl.reporting.page.watched import Watched, player, table
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.open import TrainedRun
from scoutrl.runs.provenance import read_provenance


def run_page(seeds: Sequence[TrainedRun]) -> Page:
    """The page of the seeds of a run, from their directories and from greedy trials on the test problems.

    Of several seeds, the player and the map of z are of the one with the middle return.
    """
    config, env = seeds[0].config, seeds[0].env
    record = recorder(env, seeds[0].algorithm.protocol(greedy=True))
    watched = [Watched.of(one, config.algorithm, record) for one in seeds]
    middle = sorted(watched, key=lambda one: one.score.mean)[len(watched) // 2]
    cases, data = player([middle])
    known = known_bounds(env)
    score = watched[0].score if len(seeds) == 1 else Estimate.of([one.score.mean for one in watched])
    explored = float(np.mean([one.explored for one in watched]))
    about_z = latent(middle.trained, middle.trials)
    which = f"seed {config.seed}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    context = {
        "title": f"{config.algorithm} on {config.family}, {which}",
        "sentence": _sentence(watched, score, explored, known),
        "watched": "" if len(seeds) == 1 else f"Shown is seed {middle.trained.config.seed}, of the middle return.",
        "returns": return_bars({config.algorithm: score}, known.on("test")),
        "lengths": length_bars({config.algorithm: explored}, known.shortest, env.horizon),
        "cases": table(cases),
        "tells": bool(np.isfinite(middle.residual)),
        "latent": about_z,
        "again": _again(middle.trained),
        "seeds": _seeds(watched) if len(seeds) > 1 else [],
        "comparison": None,
    }
    curves = charts(
        [Group(config.algorithm, [read_rows(one.path) for one in seeds])], main_bounds(known.on("validation"))
    )
    return fill(context, {**data, "latent": about_z, "charts": curves})


def _sentence(watched: Sequence[Watched], score: Estimate, explored: float, known: KnownBounds) -> str:
    """What was trained, and what came of it."""
    trained = watched[0].trained
    config, problems = trained.config, trained.env.problems
    unseen = not np.isin(problems.test, problems.train).any()
    interval = f" (95% interval {shown(score.ci95[0])} to {shown(score.ci95[1])})" if score.ci95 else ""
    best = f"; the best possible is {shown(known.on('test')['optimum'])}" if known.returns else ""
    shortest = known.shortest
    least = f", where {shown(shortest.steps, 1)} suffice" if shortest is not None and shortest.steps is not None else ""
    which = "problems it has never seen" if unseen else "its training problems (the family has no others)"
    seeds = "" if len(watched) == 1 else f", {len(watched)} times with different seeds,"
    steps = float(np.mean([one.trained.env_steps for one in watched]))
    return (
        f"{config.algorithm} was trained on {config.family}{seeds} for {count(steps)} environment steps. "
        f"On {which}, in {len(watched[0].trials.ids)} greedy trials{' of each' if seeds else ''}, it earns "
        f"{shown(score.mean)}{interval}{best}. It explores for {shown(explored, 1)} steps{least}."
    )


def _seeds(watched: Sequence[Watched]) -> list[dict[str, Any]]:
    """The table of seeds."""
    return [
        {
            "seed": one.trained.config.seed,
            "score": (one.score.mean, shown(one.score.mean)),
            "explored": (one.explored, shown(one.explored, 1)),
            "residual": (one.residual, shown(one.residual)),
            "steps": (one.trained.env_steps, f"{one.trained.env_steps:,}"),
        }
        for one in watched
    ]


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
