"""Random actions that get somewhere, for actions in a Box: one is kept for a while before another is drawn.

Independent random actions of many small steps cancel out: a point that is pushed at random stays near where it began.
"""

import dataclasses
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.rl.learner import Share

KEPT = 0.95
"""Chance per step that a held action is kept."""
LEAST = 0.05
"""Least share of trials whose actions are random altogether."""


@final
class HeldActions(eqx.Module):
    """The noise of one trial: in some trials all actions are random and held, in others a share ε is random."""

    epsilon: Float[Array, ""]
    """ε of the trials that are not random altogether."""
    rank: Float[Array, ""]
    """Drawn evenly from 0 … 1: the trial is random altogether where this is less than the share of such trials."""
    wanders: Bool[Array, ""]
    """The trial is random altogether."""
    place: Float[Array, " n"]
    """The action held, 0 … 1 from the lower to the upper bound of each coordinate."""
    key: PRNGKeyArray
    """Draws the actions to come."""

    @staticmethod
    def draw(key: PRNGKeyArray, size: int, epsilon: Share) -> "HeldActions":
        """For actions of `size` coordinates."""
        rank_key, place_key, key = jax.random.split(key, 3)
        rank, place = jax.random.uniform(rank_key), jax.random.uniform(place_key, (size,))
        return HeldActions(jnp.asarray(epsilon, jnp.float32), rank, rank < LEAST, place, key)

    def bound(self, least: Share, most: Share) -> "HeldActions":
        """With a share of at least `least` of all trials random altogether, and ε at most `most` in the others."""
        epsilon, wanders = jnp.minimum(self.epsilon, most), self.rank < jnp.maximum(least, LEAST)
        return dataclasses.replace(self, epsilon=epsilon, wanders=wanders)

    def advance(self) -> "HeldActions":
        """At the next step: the same action held, or now and then another."""
        change, draw, key = jax.random.split(self.key, 3)
        place = jnp.where(jax.random.bernoulli(change, KEPT), self.place, jax.random.uniform(draw, self.place.shape))
        return dataclasses.replace(self, place=place, key=key)
