"""A chunk of iterations: playing and learning take turns, or are done at once with a policy lag of one iteration."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import Spec
from scoutrl.envs.raised import OWN, one_line
from scoutrl.errors import ScoutError
from scoutrl.training.iteration import Found, Played
from scoutrl.training.signals import aside
from scoutrl.training.state import TrainingState, apart, with_replay

AT_ONCE = 3
"""Iterations that the device may have in hand: the trials of each are in memory."""

Play = Callable[[TrainingState], Played]
Learn = Callable[[TrainingState, Played], tuple[TrainingState, Found]]


def in_turn(state: TrainingState, iterations: int, play: Play, learn: Learn) -> tuple[TrainingState, list[Found]]:
    """Each iteration plays with the networks that the one before it has learnt."""
    found = []
    for _ in range(iterations):
        state, told = learn(state, play(state))
        found.append(told)
        if len(found) >= AT_ONCE:
            jax.block_until_ready(found[-AT_ONCE])
    return state, found


def at_once(state: TrainingState, iterations: int, play: Play, learn: Learn) -> tuple[TrainingState, list[Found]]:
    """While an iteration learns from its trials, those of the next one are played by the networks from before it.

    The lag is one iteration, however long either takes: nothing depends on time. It goes on from chunk to chunk, since
    the trials that are played last are kept in the state.
    """
    pending, found = _begun(state, play), []
    state, _ = apart(state)
    for _ in range(iterations):
        before, trials = state, pending
        # In another thread, since XLA computes what one thread calls in its order.
        learning = aside(lambda before=before, trials=trials: jax.block_until_ready(learn(before, trials)))
        pending = play(dataclasses.replace(players(before), iteration=before.iteration + 1))
        state, told = learning.result()
        found.append(told)
    return dataclasses.replace(state, pending=jax.tree.map(jnp.asarray, pending)), found


def players(state: TrainingState) -> TrainingState:
    """What trials are played from while `state` is learnt from: all but the replay, which learning uses up."""
    return with_replay(apart(state)[0], None)


def check_collectors(spec: Spec, algorithm: Algorithm, like: TrainingState) -> None:
    """Refuse an algorithm whose collectors need the replay.

    Raises:
        ScoutError: it cannot make them without.
    """
    given = spec, players(like).algorithm, spec.problems.ids[0], jax.random.key(0)
    try:
        eqx.filter_eval_shape(algorithm.collector, *given)
    except OWN as error:
        name = type(algorithm).__name__
        raise ScoutError(
            f"with policy_lag=1 trials are played while the replay is learnt from, and {name}.collector raised "
            f"{one_line(error)} without a replay; leave out policy_lag=1."
        ) from error


def _begun(state: TrainingState, play: Play) -> Played:
    """The trials to learn from first: those that were played last; of seeds that have done nothing yet, fresh ones."""
    fresh = np.asarray(state.iteration) == 0
    if not fresh.any():
        return state.pending
    played = play(players(state))

    def chosen(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(fresh.reshape((*fresh.shape, *[1] * (np.ndim(new) - fresh.ndim))), new, old)

    return jax.tree.map(chosen, played, state.pending)
