"""What runs on the device: many iterations of collect and learn as one compiled function."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, Metrics
from scoutrl.envs import MetaEnv
from scoutrl.training.state import TrainingState, strongly_typed
from scoutrl.trials.rollout import Protocol, rollout
from scoutrl.trials.trial import Trial


class ChunkMetrics(eqx.Module):
    """What a chunk tells the host; nothing else leaves the device."""

    metrics: Metrics
    """The algorithm's metrics, means over the iterations of the chunk."""
    env_steps: Int[Array, ""]
    """Steps lived in the chunk, of exploration and exploitation together."""
    finite: Bool[Array, " arrays"]
    """For each array of real numbers in the state after the chunk: no infinity and no NaN in it."""


Chunk = Callable[[TrainingState], tuple[TrainingState, ChunkMetrics]]
"""Goes on by a fixed number of iterations; the progress it is given is used up."""


def iterate(
    env: MetaEnv, algorithm: Algorithm, progress: TrainingState
) -> tuple[TrainingState, Metrics, Int[Array, ""]]:
    """One iteration: fresh trials on problems of the train split, then the algorithm's gradient steps.

    Returns:
        The progress after it, the algorithm's metrics and the environment steps lived.
    """
    problem_key, collect_key, learn_key, _ = _keys(progress)
    problems = env.problems.sample(problem_key, algorithm.trials, "train")
    trials = collect(env, algorithm, progress, problems, jax.random.split(collect_key, algorithm.trials))
    learner, metrics = algorithm.learn(env, progress.learner, trials, learn_key)
    lived = trials.exploration.mask.sum() + trials.exploitation.mask.sum()
    return strongly_typed(TrainingState(learner, progress.key, progress.iteration + 1)), metrics, lived


def collect(env: MetaEnv, algorithm: Algorithm, progress: TrainingState, problems: Array, keys: Array) -> Trial:
    """One training trial in each of `problems` [trials, k]."""
    protocol = Protocol(algorithm.explorations, algorithm.exploitations)

    def one(problem: Array, key: Array) -> Trial:
        agent_key, trial_key = jax.random.split(key)
        agent = algorithm.collector(env, progress.learner, problem, agent_key)
        return rollout(env, agent, problem, trial_key, protocol)

    return jax.vmap(one)(problems, keys)


def chunk(
    env: MetaEnv, algorithm: Algorithm, iterations: int, progress: TrainingState
) -> tuple[TrainingState, ChunkMetrics]:
    """`iterations` iterations; metrics are averaged and steps counted where they arise."""
    arrays, rest = eqx.partition(progress, eqx.is_array)

    def body(arrays: TrainingState, _: None) -> tuple[TrainingState, tuple[Metrics, Array]]:
        after, metrics, lived = iterate(env, algorithm, eqx.combine(arrays, rest))
        return eqx.filter(after, eqx.is_array), (metrics, lived)

    arrays, (metrics, lived) = jax.lax.scan(body, arrays, length=iterations)
    means = {name: jnp.mean(values) for name, values in metrics.items()}
    return eqx.combine(arrays, rest), ChunkMetrics(means, lived.sum(), finite(arrays))


def finite(progress: TrainingState) -> Bool[Array, " arrays"]:
    """Tell for each array of real numbers whether all of them are finite."""
    floats = eqx.filter(progress, eqx.is_inexact_array)
    return jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(floats)], bool)


def evaluation_key(progress: TrainingState) -> PRNGKeyArray:
    """The key to evaluate with after so many iterations; no iteration draws from it."""
    return _keys(progress)[3]


def _keys(progress: TrainingState) -> PRNGKeyArray:
    """The four keys of the next iteration: its problems, its trials, its learning, and an evaluation before it."""
    return jax.random.split(jax.random.fold_in(progress.key, progress.iteration), 4)
