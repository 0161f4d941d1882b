"""XLand-MiniGrid by its own protocol: what 25 episodes earn in each unseen rule set, mean and 20th percentile.

    python -m benchmarks.xland --seeds 1 --steps 2_000_000
    python -m benchmarks.xland --name xland-small --set env.benchmark=small-1m env.problems=100000

A trial is 25 episodes of the environment's own length in one rule set (Nikulin et al. 2023, after AdA). All of them
count, exploration episodes too: DREAM earns little in those, RL² all it can. As in all evaluations of Scout agents act
greedily, where the original draws actions. Rule sets are those of the test, each once; trained is with the default
presets. The curve is of the run's own evaluations on validation rule sets, in its own trials of a few episodes.
"""

import contextlib
import dataclasses
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import App, Parameter

import scoutrl
from benchmarks.learning import together
from benchmarks.record import earlier, keep, print_status, provenance
from scoutrl.evaluation.evaluate import Scores, scorer
from scoutrl.runs.metrics import read_rows
from scoutrl.runs.open import open_run
from scoutrl.trials.sampler import sampler_for
from scoutrl.trials.trial import Protocol

EPISODES = 25
"""Episodes of a trial, exploration episodes among them."""
_TINY = ("env.problems=50", "env.horizon=8", "trials_per_iteration=8", "iterations=2", "evaluation_trials=8")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train algorithms on the trivial rule sets, and measure them."""

    algorithms: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ("dream", "rl2")
    """Which."""
    seeds: int = 1
    """How many."""
    first: int = 0
    """The first seed."""
    steps: int | None = None
    """Environment steps of each; those of the preset without."""
    sets: Annotated[tuple[str, ...], Parameter("--set", consume_multiple=1, negative=())] = ()
    """Settings, as for `scout train --set`; options of the family are env.benchmark, env.problems, env.layout."""
    name: str = "xland"
    """Name of the result."""
    smoke: bool = False
    """One algorithm for a moment; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and add to the result that is there."""
    if options.smoke:
        options = dataclasses.replace(options, algorithms=("dream",), seeds=1, steps=256, sets=_TINY)
    setup = {"benchmark": "xland", "episodes": EPISODES, "steps": options.steps, "sets": list(options.sets)}
    there = {} if options.smoke else earlier(options.name, setup)
    found = {one["algorithm"]: one for one in there.get("algorithms", [])}
    for name in options.algorithms:
        seeds = range(options.first, options.first + options.seeds)
        rows = together(found.get(name, {}).get("seeds", []), [_seed(options, name, seed) for seed in seeds])
        found[name] = {"algorithm": name, "seeds": rows}
        keep(options.name, setup | {"algorithms": list(found.values())}, options.smoke)


def _seed(options: Options, algorithm: str, seed: int) -> dict[str, Any]:
    """One seed trained and measured."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        scoutrl.train(
            algorithm, "xland", options.steps, seed, out, settings=options.sets, track="none", show=False, until="none"
        )
        row = {"seed": seed} | measured(out) | {"curve": curve(out), "provenance": provenance("xland", out)}
    print_status(f"{algorithm}, seed {seed}: mean {row['mean']}, 20th percentile {row['percentile_20']}")
    return row


def measured(run: Path) -> dict[str, Any]:
    """What the agent of a run directory earns on the rule sets of the test, by the protocol."""
    trained = open_run(run)
    explorations = trained.algorithm.exploration_episodes
    protocol = Protocol(explorations, EPISODES - explorations, greedy=True)
    count = len(trained.env.problems.test)
    with contextlib.closing(sampler_for(trained.env)) as sampler:
        scores = scorer(sampler, protocol, count, "test")(trained.agent, 0)
    return {"rule_sets": count, "exploration_episodes": explorations} | summary(scores)


def summary(scores: Scores) -> dict[str, Any]:
    """Of the total return of each trial its mean, median and 20th percentile; and the mean of each episode."""
    totals = scores.exploration.sum(axis=1) + scores.exploitation.sum(axis=1)
    each = np.concatenate([scores.exploration, scores.exploitation], axis=1)
    return {
        "mean": round(float(totals.mean()), 4),
        "median": round(float(np.median(totals)), 4),
        "percentile_20": round(float(np.percentile(totals, 20)), 4),
        "by_episode": [round(float(one), 4) for one in each.mean(axis=0)],
    }


def curve(run: Path) -> list[dict[str, float]]:
    """What metrics.jsonl tells of each evaluation: environment steps, seconds of training, return on validation."""
    names = ("env_steps", "seconds", "validation_return")
    return [{name: row[name] for name in names} for row in read_rows(run) if "validation_return" in row]


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
