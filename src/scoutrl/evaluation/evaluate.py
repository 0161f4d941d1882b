"""Evaluation: greedy trials on the problems of one split, evenly spread, a batch at a time."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl import prng
from scoutrl._platform import on_this_machine
from scoutrl.envs import Problem, Spec
from scoutrl.envs.problems import Split, distinct
from scoutrl.envs.raised import callbacks_of
from scoutrl.errors import ScoutError
from scoutrl.evaluation.scores import Estimate, Evaluation, EvaluationProtocol, over_seeds
from scoutrl.runs.config import RunConfig, completed
from scoutrl.runs.families import name_of
from scoutrl.runs.open import open_run, read_config
from scoutrl.trials.agent import Agent
from scoutrl.trials.sampler import Sampler, sampler_for
from scoutrl.trials.trial import Protocol, Trial
from scoutrl.trials.watch import Fault, earliest, watch

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
    faults: Fault | None = None
    """What the family did wrong first in each trial."""


Measure = Callable[[Trial], dict[str, Float[Array, ""]]]
"""Numbers by name that are measured of one trial."""


def quick_means(scores: Scores, split: Split) -> dict[str, float]:
    """Means by name, for the progress bar.

    They are `validation_return` (or another, after the split), `exploration_return`, `exploration_length`, and those of
    what else was measured of the trials.
    """
    means = {
        f"{split}_return": scores.exploitation,
        "exploration_return": scores.exploration,
        "exploration_length": scores.lengths,
    }
    return {name: float(np.mean(values)) for name, values in (scores.others | means).items()}


def scorer(sampler: Sampler, protocol: Protocol, trials: int, split: Split) -> Callable[[Agent, int], Scores]:
    """An `(agent, seed) -> scores` of `trials` trials, for one agent after another; compiled once.

    Trial i is on problem i mod m of the m problems of `split`, taken in an order drawn from the seed. The scores of
    trial i depend on agent, seed and i alone.
    """
    ids = sampler.spec.problems.of(split)
    batch = min(BATCH, trials)
    compiled: list[Callable] = []

    def score(agent: Agent, seed: int) -> Scores:
        order, key = np.random.default_rng(seed).permutation(len(ids)), prng.key(seed)
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
            with callbacks_of(sampler.spec.title):
                parts.append(jax.device_get(compiled[0](*given)))
        return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:trials], *parts)

    return score


@on_this_machine()
def evaluate_runs(
    paths: Sequence[Path], trials: int, split: Split, seed: int, env: Spec | None, name: str, trust: bool = False
) -> Evaluation:
    """Evaluate the runs in `paths`, one per seed, all of one family and algorithm; `name` is what they are together.

    `trust` is as for `open_run`.

    Raises:
        ScoutError: a run cannot be opened, they are not of one family and algorithm, two are of the same seed, or `env`
            has other spaces.
    """
    _refuse_copies(paths)
    first = open_run(paths[0], env, trust)
    sampler = sampler_for(first.env)
    # All seeds share this program: it is compiled once.
    score = scorer(sampler, first.algorithm.protocol(greedy=True), trials, split)
    problems = first.env.problems
    moved = name_of(first.env) != name_of(first.home)
    family = name_of(first.env) if moved else first.config.family
    protocol = EvaluationProtocol(
        exploration_episodes=first.algorithm.exploration_episodes,
        exploitation_episodes=first.algorithm.exploitation_episodes,
        trials=trials,
        problems=len(problems.of(split)),
        unseen=_disjoint(problems.of(split), first.home.problems.of("train")),
        greedy=True,
        split=split,
        seed=seed,
        interval="trials",
    )
    singles = []
    with contextlib.closing(sampler):
        for path in paths:
            trained = first if path == paths[0] else open_run(path, first.env, trust)
            if _differ(trained.config, first.config):
                raise ScoutError(
                    f"{path} and {paths[0]} are not the same training with other seeds; evaluate them apart."
                )
            scores = _sound(score(trained.agent, seed), first.env, path)
            singles.append(summary(family, trained.config.algorithm, scores, protocol, str(path)))
    return over_seeds(singles, name)


def _sound(scores: Scores, env: Spec, path: Path) -> Scores:
    """The scores, if the family did nothing wrong."""
    assert scores.faults is not None
    if wrong := earliest(scores.faults).describe(env.title):
        raise ScoutError(f"{path} cannot be evaluated: {wrong}. Mend the family, then evaluate again.")
    return scores


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


def _disjoint(ids: np.ndarray, others: np.ndarray) -> bool:
    """Whether none of the IDs [n, k] is among the others [m, l]; IDs of unlike kinds never are the same."""
    alike = ids.shape[1:] == others.shape[1:] and ids.dtype == others.dtype
    return not alike or distinct(ids).isdisjoint(distinct(others))


def _refuse_copies(paths: Sequence[Path]) -> None:
    """Refuse two runs of one seed: a copy is no sample of its own, and would make the intervals too narrow."""
    found: dict[int, Path] = {}
    for path in paths if len(paths) > 1 else ():
        seed = read_config(path).seed
        if seed in found:
            raise ScoutError(f"{path} and {found[seed]} are both of seed {seed}, so one may be a copy; name only one.")
        found[seed] = path


def _differ(one: RunConfig, other: RunConfig) -> bool:
    """Whether two runs differ in more than their seeds, and what one was written before the other knew."""
    here, there = one.identity() | {"seed": 0}, other.identity() | {"seed": 0}
    return completed(here, there) != completed(there, here)


def _trials(sampler: Sampler, agent: Agent, protocol: Protocol, problems: Array, keys: PRNGKeyArray) -> Scores:
    """Scores of one trial per row of `problems` [n, k] and per key [n]."""
    trials = sampler.sample(eqx.Partial(same_agent, agent), problems, keys, protocol)
    return sampler.call(scores_of, trials, sampler.spec, None)


def same_agent(agent: Agent, problem: Problem, key: PRNGKeyArray) -> Agent:
    """One agent for all trials."""
    del problem, key
    return agent


def scores_of(trials: Trial, spec: Spec, measure: Measure | None) -> Scores:
    """What is kept of trials [n]; and what `measure`, if there is one, says of each."""
    others = {} if measure is None else jax.vmap(measure)(trials)
    lengths = trials.exploration.lengths.astype(jnp.float32)
    faults = jax.vmap(lambda trial: watch(spec, trial))(trials)
    return Scores(trials.exploitation.returns, trials.exploration.returns, lengths, others, faults)
