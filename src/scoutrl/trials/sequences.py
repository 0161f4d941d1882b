"""The episodes of a trial end to end, as one sequence of transitions: those of one phase, or all of them."""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.envs.base import Goal
from scoutrl.trials.trial import Episodes, Trial

Record = TypeVar("Record", bound=eqx.Module)


class Transitions(eqx.Module):
    """TransitionFeatures of all episodes of a trial in the order lived, [batch, time]; lived ones come first."""

    before: Array
    """Observation before each step."""
    actions: Array
    """Action of each step."""
    rewards: Float[Array, "batch time"]
    """Reward of each step."""
    after: Array
    """Observation after each step."""
    mask: Bool[Array, "batch time"]
    """The step was lived."""

    def last(self, x: Float[Array, "batch time+1 size"]) -> Float[Array, "batch size"]:
        """What `x`, given on every prefix, is on the whole of what was lived."""
        ends = jax.nn.one_hot(self.mask.sum(axis=1), x.shape[1])
        return (ends[..., None] * x).sum(axis=1)

    @property
    def prefixes(self) -> Bool[Array, "batch time+1"]:
        """Which prefixes were lived, the empty one included."""
        return jnp.concatenate([jnp.ones_like(self.mask[:, :1]), self.mask], axis=1)


class TrialSequence(eqx.Module):
    """A whole trial in the order lived, exploration first, [batch, time]; lived steps come first."""

    tape: Transitions
    """The transitions."""
    goals: Goal
    """Goal of each step's episode, [batch, time, *goal]; also of exploration, where agents are not shown it."""
    exploiting: Bool[Array, "batch time"]
    """The step is one of an exploitation episode."""
    starts: Bool[Array, "batch time"]
    """The step is the first of its episode."""


def tape(episodes: Episodes) -> Transitions:
    """Lay the episodes [batch, episode, time] end to end."""
    parts = _transitions(episodes)
    flat = _end_to_end(parts)
    return flat if episodes.mask.shape[1] == 1 else _lived_first(flat, flat.mask)


def life(trial: Trial) -> TrialSequence:
    """Lay all episodes of both phases [batch, episode, time] end to end."""
    phases = [trial.exploration, trial.exploitation]
    parts = [
        TrialSequence(
            _transitions(episodes),
            _each_step(episodes.goals, episodes.mask.shape[2]),
            jnp.full(episodes.mask.shape, exploiting),
            jnp.broadcast_to(jnp.arange(episodes.mask.shape[2]) == 0, episodes.mask.shape),
        )
        for episodes, exploiting in zip(phases, (False, True), strict=True)
    ]
    flat = _end_to_end(jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), *parts))
    return _lived_first(flat, flat.tape.mask)


def _transitions(episodes: Episodes) -> Transitions:
    return Transitions(
        episodes.observations[:, :, :-1],
        episodes.actions,
        episodes.rewards,
        episodes.observations[:, :, 1:],
        episodes.mask,
    )


def _each_step(goals: Goal, time: int) -> Goal:
    """Goals [batch, episode, *goal] of every step, [batch, episode, time, *goal]."""
    return None if goals is None else jnp.repeat(goals[:, :, None], time, axis=2)


def _end_to_end(parts: Record) -> Record:
    """From [batch, episode, time, …] to [batch, all steps, …]."""
    return jax.tree.map(lambda x: x.reshape(x.shape[0], -1, *x.shape[3:]), parts)


def _lived_first(flat: Record, mask: Bool[Array, "batch time"]) -> Record:
    """In the same order, but those that were not lived last."""
    order = jnp.argsort(~mask, axis=1, stable=True)
    return jax.tree.map(lambda x: jax.vmap(lambda row, places: row[places])(x, order), flat)
