"""One iteration of training, and many of them in one chunk: collect trials, then learn from them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, Metrics
from scoutrl.envs import Spec
from scoutrl.training.state import TrainingState, strongly_typed
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.trial import Trial
from scoutrl.trials.watch import Fault, earliest, watch

_SMALL = 2**16
"""Numbers of an array that is worth copying to be looked at together with others."""


class ChunkMetrics(eqx.Module):
    """What a chunk tells the host."""

    metrics: Metrics
    """The algorithm's metrics, means over the iterations of the chunk."""
    env_steps: Int[Array, ""]
    """Environment steps in the chunk, of exploration and exploitation together."""
    finite: Bool[Array, " arrays"]
    """For each array of real numbers in the state after the chunk: no infinity and no NaN in it."""
    fault: Fault
    """What the family did wrong first in the trials of the chunk."""


def chunk(
    sampler: Sampler, algorithm: Algorithm, iterations: int, state: TrainingState
) -> tuple[TrainingState, ChunkMetrics]:
    """`iterations` iterations; metrics are averaged and steps counted where they arise."""

    def step(state: TrainingState) -> tuple[TrainingState, tuple[Metrics, Int[Array, ""], Fault]]:
        state, metrics, env_steps, fault = _watched_iteration(sampler, algorithm, state)
        return state, (metrics, env_steps, fault)

    state, (metrics, env_steps, faults) = sampler.repeat(step, state, iterations)
    means = {name: jnp.mean(values) for name, values in metrics.items()}
    return state, ChunkMetrics(means, env_steps.sum(), sampler.call(finite, state), earliest(faults))


def iterate(
    sampler: Sampler, algorithm: Algorithm, state: TrainingState
) -> tuple[TrainingState, Metrics, Int[Array, ""]]:
    """One iteration: fresh trials on problems of the train split, then the algorithm's gradient steps.

    Of an algorithm with shards it is the iteration of one of them, among the others.

    Returns:
        The state after it, the algorithm's metrics and the number of environment steps.
    """
    return _watched_iteration(sampler, algorithm, state)[:3]


def _watched_iteration(
    sampler: Sampler, algorithm: Algorithm, state: TrainingState
) -> tuple[TrainingState, Metrics, Int[Array, ""], Fault]:
    """As `iterate`, and what the family did wrong first."""
    spec, count = sampler.spec, algorithm.trials_per_iteration // algorithm.shards
    problem_key, collect_key, learn_key, _ = _keys(state)
    problems = spec.problems.sample(problem_key, count, "train")
    trials = collect(sampler, algorithm, state, problems, jax.random.split(collect_key, count))
    return sampler.call(_learnt, state, algorithm, spec, trials, learn_key, donate=True)


def _learnt(
    state: TrainingState, algorithm: Algorithm, spec: Spec, trials: Trial, key: PRNGKeyArray
) -> tuple[TrainingState, Metrics, Int[Array, ""], Fault]:
    """The iteration from its trials on."""
    learnt, metrics = algorithm.learn(spec, state.algorithm, trials, key)
    env_steps = trials.exploration.mask.sum() + trials.exploitation.mask.sum()
    fault = earliest(jax.vmap(lambda trial: watch(spec, trial))(trials))
    return strongly_typed(TrainingState(learnt, state.key, state.iteration + 1)), metrics, env_steps, fault


def collect(sampler: Sampler, algorithm: Algorithm, state: TrainingState, problems: Array, keys: PRNGKeyArray) -> Trial:
    """One training trial in each of `problems` [trials, k]."""
    collector = eqx.Partial(algorithm.collector, sampler.spec, state.algorithm)
    return sampler.sample(collector, problems, keys, algorithm.protocol())


def finite(state: TrainingState) -> Bool[Array, " arrays"]:
    """Tell for each array of real numbers whether all of them are finite."""
    floats = jax.tree.leaves(eqx.filter(state, eqx.is_inexact_array))
    small = [leaf.size <= _SMALL for leaf in floats]
    found = iter(_finite_parts([leaf.ravel() for leaf, is_small in zip(floats, small, strict=True) if is_small]))
    each = [next(found) if is_small else jnp.isfinite(leaf).all() for leaf, is_small in zip(floats, small, strict=True)]
    return jnp.array(each, bool)


def _finite_parts(vectors: list[Array]) -> Bool[Array, " vectors"]:
    """Of each vector, whether all of it is finite.

    By running counts over all end to end: two hundred reductions would take a second to compile.
    """
    if not vectors:
        return jnp.ones(0, bool)
    infinite = jnp.cumsum(~jnp.isfinite(jnp.concatenate(vectors)), dtype=jnp.int32)
    ends = np.cumsum([len(vector) for vector in vectors])
    return jnp.diff(jnp.pad(infinite, (1, 0))[np.concatenate([[0], ends])]) == 0


def evaluation_key(state: TrainingState) -> PRNGKeyArray:
    """The key to evaluate with after so many iterations; no iteration draws from it."""
    return _keys(state)[3]


def _keys(state: TrainingState) -> PRNGKeyArray:
    """The four keys of the next iteration: its problems, its trials, its learning, and an evaluation before it."""
    return jax.random.split(jax.random.fold_in(state.key, state.iteration), 4)
