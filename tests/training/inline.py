"""Iterations as one function, as a program has them that is compiled as a whole."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from scoutrl.algorithms.base import Algorithm, Metrics
from scoutrl.training.iteration import Asked, Found, finite, learn, play
from scoutrl.training.state import TrainingState
from scoutrl.trees import scan
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.trial import Trial
from scoutrl.trials.watch import Fault, earliest


class Chunk(eqx.Module):
    """As `ChunkMetrics`, traced."""

    metrics: Metrics
    env_steps: Array
    finite: Array
    fault: Fault


def fresh(sampler: Sampler, algorithm: Algorithm) -> Asked:
    """Trials to learn from are asked for."""
    ids = jnp.asarray(sampler.spec.problems.ids)
    return Asked(jnp.bool_(False), jnp.repeat(ids[:1], algorithm.trials_per_iteration, axis=0), jnp.int32(0))


def iterate(sampler: Sampler, algorithm: Algorithm, state: TrainingState) -> tuple[TrainingState, Found]:
    """One iteration."""
    played = play(sampler, algorithm, state, fresh(sampler, algorithm), False)
    return sampler.call(learn, sampler.spec, algorithm, state, played)


def collect(sampler: Sampler, algorithm: Algorithm, state: TrainingState) -> Trial:
    """The trials of one iteration."""
    return play(sampler, algorithm, state, fresh(sampler, algorithm), False).trials


def chunk(sampler: Sampler, algorithm: Algorithm, iterations: int, state: TrainingState) -> tuple[TrainingState, Chunk]:
    """Some iterations."""

    def step(state: TrainingState, _: Any) -> tuple[TrainingState, Found]:
        return iterate(sampler, algorithm, state)

    if sampler.traced:
        state, found = scan(step, state, length=iterations)
    else:
        each = []
        for _ in range(iterations):
            state, one = step(state, None)
            each.append(one)
        found = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    means = {name: values.mean() for name, values in found.metrics.items()}
    return state, Chunk(means, found.env_steps.sum(), sampler.call(finite, state), earliest(found.fault))
