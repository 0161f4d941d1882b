"""An iteration of training in two halves, each a program: trials are played, then learnt from."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, AlgorithmState, Metrics
from scoutrl.envs import Problem, Spec
from scoutrl.evaluation.evaluate import Measure, Scores, same_agent, scores_of
from scoutrl.training.state import TrainingState, strongly_typed
from scoutrl.trials.base_sampler import MakeAgent
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.trial import Trial
from scoutrl.trials.watch import Fault, earliest
from scoutrl.trials.wrapped import SwitchedAgent, alike, switch

_SMALL = 2**16
"""Numbers of an array that is worth copying to be looked at together with others."""


class Asked(eqx.Module):
    """What trials are to be played."""

    evaluating: Bool[Array, ""]
    """Greedy ones, in place of fresh ones to learn from."""
    problems: Int[Array, "trials k"] | Float[Array, "trials k"]
    """The problems to evaluate on; others are drawn for trials to learn from."""
    part: Int[Array, ""]
    """An evaluation is played in parts: the number of this one."""


class Played(eqx.Module):
    """Trials, and what is told of them."""

    trials: Trial
    scores: Scores


class Found(NamedTuple):
    """What an iteration tells."""

    metrics: Metrics
    env_steps: Int[Array, ""]
    """Of exploration and exploitation together."""
    fault: Fault
    """What the family did wrong first in its trials."""


class ChunkMetrics(NamedTuple):
    """What a chunk, that is some iterations, tells the host; numbers of NumPy."""

    metrics: dict[str, np.float32]
    """The algorithm's metrics, means over the iterations."""
    env_steps: int
    """Environment steps, of exploration and exploitation together."""
    finite: np.ndarray
    """For each array of real numbers in the state after the chunk: no infinity and no NaN in it."""
    fault: Fault
    """What the family did wrong first in the trials of the chunk."""

    @staticmethod
    def of(found: Sequence[Found], finite: Sequence[np.ndarray], ahead: Sequence[Fault | None]) -> "ChunkMetrics":
        """From what iterations, or shards of iterations, have found, and of the state after the last of them.

        `ahead` are the faults of trials that were played and not yet learnt from: they must not be saved, either.
        """
        names = found[0].metrics
        means = {name: np.mean([one.metrics[name] for one in found], dtype=np.float64) for name in names}
        faults = [one.fault for one in found] + [earliest(one) for one in ahead if one is not None]
        fault = next((one for one in faults if one.kind), faults[0])
        steps = sum(int(one.env_steps) for one in found)
        return ChunkMetrics(
            {name: np.float32(mean) for name, mean in means.items()}, steps, np.all(finite, axis=0), fault
        )


def play(
    sampler: Sampler,
    algorithm: Algorithm,
    state: TrainingState,
    asked: Asked,
    evaluating: bool | None,
    measure: Measure | None = None,
) -> Played:
    """Play trials: the fresh ones of an iteration, on problems of the train split, or some of an evaluation.

    Of an algorithm with shards they are those of one of them.

    Args:
        sampler: plays them.
        algorithm: whose agents play.
        state: before the iteration.
        asked: which trials.
        evaluating: which of the two, where a program does nothing else; None for one that does both, as `asked` says.
        measure: what else is noted of each trial.
    """
    spec, count = sampler.spec, len(asked.problems)
    problem_key, collect_key, _, evaluation_key = _keys(state)
    flag = asked.evaluating if evaluating is None else jnp.bool_(evaluating)
    problems = jnp.where(flag, asked.problems, spec.problems.sample(problem_key, count, "train"))
    key = jnp.where(flag, jax.random.fold_in(evaluation_key, asked.part), collect_key)
    protocol = algorithm.protocol(greedy=bool(evaluating))
    trials = sampler.sample(
        _players(algorithm, spec, state, asked, evaluating), problems, jax.random.split(key, count), protocol
    )
    return Played(trials, sampler.call(scores_of, trials, spec, measure))


def learn(spec: Spec, algorithm: Algorithm, state: TrainingState, played: Played) -> tuple[TrainingState, Found]:
    """The algorithm's gradient steps on the trials that were played in an iteration, which is done then."""
    trials = played.trials
    learnt, metrics = algorithm.learn(spec, state.algorithm, trials, _keys(state)[2])
    env_steps = trials.exploration.mask.sum() + trials.exploitation.mask.sum()
    after = strongly_typed(TrainingState(learnt, state.key, state.iteration + 1))
    assert played.scores.faults is not None
    return after, Found(metrics, env_steps, earliest(played.scores.faults))


def one_for_both(sampler: Sampler, algorithm: Algorithm, like: TrainingState) -> bool:
    """Whether one program can play trials to learn from as well as those of an evaluation."""
    if not sampler.traced:
        return False
    spec, state = sampler.spec, like.algorithm
    problem, key = spec.problems.ids[0], jax.random.key(0)
    collector = eqx.filter_eval_shape(algorithm.collector, spec, state, problem, key)
    return alike(eqx.filter_eval_shape(algorithm.evaluator, spec, state), collector)


def _players(
    algorithm: Algorithm, spec: Spec, state: TrainingState, asked: Asked, evaluating: bool | None
) -> MakeAgent:
    if evaluating is None:
        return eqx.Partial(_switched, algorithm, spec, state.algorithm, asked.evaluating)
    if evaluating:
        return eqx.Partial(same_agent, algorithm.agent(spec, state.algorithm))
    return eqx.Partial(algorithm.collector, spec, state.algorithm)


def _switched(
    algorithm: Algorithm,
    spec: Spec,
    state: AlgorithmState,
    evaluating: Bool[Array, ""],
    problem: Problem,
    key: PRNGKeyArray,
) -> SwitchedAgent:
    """The agent that is evaluated or the one that collects."""
    collector, evaluator = algorithm.collector(spec, state, problem, key), algorithm.evaluator(spec, state)
    return SwitchedAgent(switch(evaluating, evaluator, collector), evaluating)


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


def _keys(state: TrainingState) -> PRNGKeyArray:
    """The four keys of the next iteration: its problems, its trials, its learning, and an evaluation before it."""
    return jax.random.split(jax.random.fold_in(state.key, state.iteration), 4)
