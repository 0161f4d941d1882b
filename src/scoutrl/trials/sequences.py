"""The episodes of a trial end to end, as one sequence of transitions: those of one phase, or all of them."""

from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.envs.base import Goal
from scoutrl.trials.encode import EncodedEpisodes

Record = TypeVar("Record", bound=eqx.Module)


class Transitions(eqx.Module):
    """Transitions of all episodes of a trial in order, [batch, time]; those that took place come first."""

    before: Float[Array, "batch time features"]
    """Features of the observation before each step."""
    actions: Array
    """[batch, time, *action]: action of each step."""
    rewards: Float[Array, "batch time"]
    """Reward of each step."""
    after: Float[Array, "batch time features"]
    """Features of the observation after each step."""
    mask: Bool[Array, "batch time"]
    """The step took place."""
    ended: Bool[Array, "batch time"]
    """The return of its episode ended with this step."""
    kept: Any = None
    """[batch, time, …]: what the agent kept of each decision."""

    def last(self, x: Float[Array, "batch time+1 size"]) -> Float[Array, "batch size"]:
        """The value of `x`, given on every prefix, on the whole sequence."""
        ends = jax.nn.one_hot(self.mask.sum(axis=1), x.shape[1])
        return (ends[..., None] * x).sum(axis=1)

    @property
    def prefixes(self) -> Bool[Array, "batch time+1"]:
        """Which prefixes there are, the empty one included."""
        return jnp.concatenate([jnp.ones_like(self.mask[:, :1]), self.mask], axis=1)

    @property
    def not_last(self) -> Bool[Array, "batch time"]:
        """All steps but the last that took place: where the return of a trial goes on."""
        return jnp.pad(self.mask[:, 1:], ((0, 0), (0, 1)))


class TrialSequence(eqx.Module):
    """A whole trial in order, exploration first, [batch, time]; steps that took place come first."""

    transitions: Transitions
    """The transitions."""
    goals: Goal
    """Goal of each step's episode, [batch, time, *goal]; also of exploration, where agents are not shown it."""
    exploiting: Bool[Array, "batch time"]
    """The step is one of an exploitation episode."""
    is_first: Bool[Array, "batch time"]
    """The step is the first of its episode."""


def transitions(episodes: EncodedEpisodes) -> Transitions:
    """Lay the episodes [batch, episode, time] of one phase end to end."""
    flat = _end_to_end(_transitions(episodes))
    return flat if episodes.mask.shape[1] == 1 else _active_first(flat, flat.mask)


def trial_sequence(exploration: EncodedEpisodes, exploitation: EncodedEpisodes) -> TrialSequence:
    """Lay all episodes of both phases [batch, episode, time] end to end."""
    parts = [
        TrialSequence(
            _transitions(episodes),
            _each_step(episodes.goals, episodes.mask.shape[2]),
            jnp.full(episodes.mask.shape, exploiting),
            jnp.broadcast_to(jnp.arange(episodes.mask.shape[2]) == 0, episodes.mask.shape),
        )
        for episodes, exploiting in [(exploration, False), (exploitation, True)]
    ]
    flat = _end_to_end(jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), *parts))
    return _active_first(flat, flat.transitions.mask)


def _transitions(episodes: EncodedEpisodes) -> Transitions:
    return Transitions(
        episodes.features[:, :, :-1],
        episodes.actions,
        episodes.rewards,
        episodes.features[:, :, 1:],
        episodes.mask,
        episodes.ended,
        episodes.kept,
    )


def _each_step(goals: Goal, time: int) -> Goal:
    """Goals [batch, episode, *goal] of every step, [batch, episode, time, *goal]."""
    return None if goals is None else jnp.repeat(goals[:, :, None], time, axis=2)


def _end_to_end(parts: Record) -> Record:
    """From [batch, episode, time, …] to [batch, all steps, …]."""
    return jax.tree.map(lambda x: x.reshape(x.shape[0], -1, *x.shape[3:]), parts)


def _active_first(flat: Record, mask: Bool[Array, "batch time"]) -> Record:
    """In the same order, but steps that did not take place last."""
    order = jnp.argsort(~mask, axis=1, stable=True)
    return jax.tree.map(lambda x: jax.vmap(lambda row, places: row[places])(x, order), flat)
