"""Learning from replayed trials: gradient steps on trials drawn from all that are stored."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState, Metrics
from scoutrl.errors import ScoutError
from scoutrl.rl.learner import PolicyLearner
from scoutrl.trees import scan
from scoutrl.trials import replay as ring
from scoutrl.trials.trial import Trial

REPLAYED = {"replayed": True}
"""Metadata of a setting that only counts when learning from replayed trials."""


def replay_setting(default: Any) -> Any:
    """A field of an algorithm that only counts with a learner on replayed trials."""
    return eqx.field(default=default, metadata=REPLAYED)


class LossAux(eqx.Module):
    """What a loss gives beside its value."""

    metrics: Metrics
    """To be reported."""
    priority: Float[Array, " batch"] | None = None
    """How much there is to learn from each trial; None if all are alike."""


class Draws(eqx.Module):
    """How the trials of one gradient step are drawn."""

    batch_size: int
    """Trials in all."""
    successes: int
    """Of them, drawn from successful ones."""
    success_floor: float
    """Returns above this only are successes."""
    prioritised: int
    """Of them, drawn from those of high priority."""


Update = Callable[[AlgorithmState, Trial, PRNGKeyArray], tuple[AlgorithmState, LossAux]]
"""One gradient step on a batch of trials."""


def replay_updates(
    update: Update, state: AlgorithmState, draws: Draws, updates: int, key: PRNGKeyArray
) -> tuple[AlgorithmState, Metrics]:
    """Take gradient steps on trials drawn from the state's replay, and revise the priorities of those drawn.

    Returns:
        The state after them, and the means of the metrics.
    """
    success = ring.success_weights(state.replay, draws.success_floor)

    def step(state: AlgorithmState, key: PRNGKeyArray) -> tuple[AlgorithmState, Metrics]:
        draw_key, update_key = jax.random.split(key)
        drawn = ring.draw(state.replay, success, draws.batch_size, draws.successes, draws.prioritised, draw_key)
        rows, weights = drawn
        state, aux = update(state, ring.take(state.replay, rows, weights), update_key)
        if aux.priority is not None:
            revised = ring.revise(state.replay, rows, aux.priority)
            state = eqx.tree_at(lambda s: s.replay, state, revised)
        return state, aux.metrics

    state, metrics = scan(step, state, jax.random.split(key, updates))
    return state, jax.tree.map(jnp.mean, metrics)


def store(state: AlgorithmState, trials: Trial) -> AlgorithmState:
    """The state with fresh trials in its replay, by the priority that their agents gave them."""
    priority = jnp.zeros(len(trials.problem)) if trials.priority is None else trials.priority
    return eqx.tree_at(lambda s: s.replay, state, ring.add(state.replay, trials, priority))


def only_off_policy(learner: PolicyLearner, algorithm: str) -> None:
    """Refuse a learner that needs fresh trials.

    Raises:
        ScoutError: it does.
    """
    if learner.on_policy:
        raise ScoutError(
            f"{algorithm} learns from replayed trials, learner={learner.name} from fresh ones only: choose learner=q"
        )
