"""Evaluation: greedy trials on the problems of one split, evenly spread, a batch at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl._platform import on_this_machine
from scoutrl.envs import MetaEnv
from scoutrl.envs.problems import Split
from scoutrl.errors import ScoutError
from scoutrl.evaluation.scores import Estimate, Evaluation, EvaluationProtocol, over_seeds
from scoutrl.runs.config import RunConfig
from scoutrl.runs.families import name_of
from scoutrl.runs.open import open_run
from scoutrl.trials.agent import Agent
from scoutrl.trials.sampler import Sampler, sampler_for
from scoutrl.trials.trial import Protocol, Trial

BATCH = 256
"""Trials at once: bounds the memory an evaluation takes."""


class Scores(eqx.Module):
    """What is kept of each trial."""

    exploitation: Float[Array, "trials exploitations"]
    """Return of each exploitation episode."""
    exploration: Float[Array, "trials explorations"]
    """Return of each exploration episode."""
    lengths: Float[Array, "trials explorations"]
    """Steps of each exploration episode."""
    others: dict[str, Float[Array, " trials"]] = eqx.field(default_factory=dict)
    """What else was measured."""


Measure = Callable[[Trial], dict[str, Float[Array, ""]]]
"""Numbers by name that are measured of one trial."""


def quick_evaluate(
    sampler: Sampler, protocol: Protocol, trials: int, split: Split, measure: Measure | None = None
) -> Callable[[Agent, PRNGKeyArray], dict[str, Float[Array, ""]]]:
    """An `(agent, key) -> metrics` for the progress bar, to be compiled by the sampler.

    The trials are on problems of `split` drawn anew at each call, none twice before all were used once. The metrics are
    `test_return` (or `train_return`, after the split), `exploration_return` and `exploration_length`, and the means of
    what `measure` says of a trial.
    """
    ids = sampler.spec.problems.of(split)

    def evaluate(agent: Agent, key: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
        order, key = jax.random.split(key)
        problems = jax.random.permutation(order, jnp.asarray(ids))[jnp.arange(trials) % len(ids)]
        scores = _trials(sampler, agent, protocol, problems, jax.random.split(key, trials), measure)
        others = {name: values.mean() for name, values in scores.others.items()}
        return others | {
            f"{split}_return": scores.exploitation.mean(),
            "exploration_return": scores.exploration.mean(),
            "exploration_length": scores.lengths.mean(),
        }

    return evaluate


def scorer(sampler: Sampler, protocol: Protocol, trials: int, split: Split) -> Callable[[Agent, int], Scores]:
    """An `(agent, seed) -> scores` of `trials` trials, for one agent after another; compiled once.

    Trial i is on problem i mod m of the m problems of `split`, taken in an order drawn from the seed. The scores of
    trial i depend on agent, seed and i alone.
    """
    ids = sampler.spec.problems.of(split)
    batch = min(BATCH, trials)
    compiled: list[Callable] = []

    def score(agent: Agent, seed: int) -> Scores:
        order, key = np.random.default_rng(seed).permutation(len(ids)), jax.random.key(seed)
        arrays, rest = eqx.partition(agent, eqx.is_array)

        def measure(arrays: Agent, problems: Array, key: PRNGKeyArray, rows: Array) -> Scores:
            keys = jax.vmap(lambda row: jax.random.fold_in(key, row))(rows)
            return _trials(sampler, eqx.combine(arrays, rest), protocol, problems, keys)

        parts = []
        for start in range(0, trials, batch):
            # The last batch is filled up with trials that are dropped below: one shape, compiled once.
            rows = np.arange(start, start + batch)
            given = arrays, jnp.asarray(ids[order[rows % len(ids)]]), key, jnp.asarray(rows)
            if not compiled:
                compiled.append(sampler.compile(measure, *given))
            parts.append(compiled[0](*given))
        return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:trials], *parts)

    return score


@on_this_machine()
def evaluate_runs(
    paths: Sequence[Path], trials: int, split: Split, seed: int, env: MetaEnv | None, name: str
) -> Evaluation:
    """Evaluate the runs in `paths`, one per seed, all of one family and algorithm; `name` is what they are together.

    Raises:
        ScoutError: a run cannot be opened, they are not of one family and algorithm, or `env` has other spaces.
    """
    first = open_run(paths[0], env)
    # All seeds share this program: it is compiled once.
    score = scorer(sampler_for(first.env), first.algorithm.protocol(greedy=True), trials, split)
    problems = first.env.problems
    moved = name_of(first.env) != name_of(first.home)
    family = name_of(first.env) if moved else first.config.family
    protocol = EvaluationProtocol(
        exploration_episodes=first.algorithm.exploration_episodes,
        exploitation_episodes=first.algorithm.exploitation_episodes,
        trials=trials,
        problems=len(problems.of(split)),
        unseen=not _in(problems.of(split), first.home.problems.of("train")).any(),
        greedy=True,
        split=split,
        seed=seed,
        interval="trials",
    )
    singles = []
    for path in paths:
        trained = first if path == paths[0] else open_run(path, first.env)
        if _kind(trained.config) != _kind(first.config):
            raise ScoutError(f"{path} and {paths[0]} are not the same training with other seeds; evaluate them apart.")
        scores = score(trained.agent, seed)
        singles.append(summary(family, trained.config.algorithm, scores, protocol, str(path)))
    return over_seeds(singles, name)


def summary(family: str, algorithm: str, scores: Scores, protocol: EvaluationProtocol, run_dir: str) -> Evaluation:
    """What the scores of one agent come to; the samples are trials."""
    exploitation = np.asarray(scores.exploitation)
    return Evaluation(
        family=family,
        algorithm=algorithm,
        split=protocol.split,
        trials=protocol.trials,
        exploitation_return=Estimate.of(exploitation.mean(axis=1)),
        exploration_return=Estimate.of(np.asarray(scores.exploration).mean(axis=1)).mean,
        exploration_length=float(np.mean(scores.lengths)),
        per_episode=tuple(Estimate.of(column) for column in exploitation.T),
        protocol=protocol,
        run_dir=run_dir,
    )


def _in(ids: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of the IDs [n, k] are among the others [m, k]."""
    if ids.shape[1:] != others.shape[1:]:
        return np.zeros(len(ids), bool)
    return np.array([(others == one).all(axis=1).any() for one in ids])


def _kind(config: RunConfig) -> dict[str, Any]:
    return {name: value for name, value in config.identity().items() if name != "seed"}


def _trials(
    sampler: Sampler,
    agent: Agent,
    protocol: Protocol,
    problems: Array,
    keys: PRNGKeyArray,
    measure: Measure | None = None,
) -> Scores:
    """Scores of one trial per row of `problems` [n, k] and per key [n]."""
    trials = sampler.sample(lambda problem, key: agent, problems, keys, protocol)
    others = {} if measure is None else jax.vmap(measure)(trials)
    lengths = trials.exploration.lengths.astype(jnp.float32)
    return Scores(trials.exploitation.returns, trials.exploration.returns, lengths, others)
