"""A trial as data."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.envs.base import Action, Goal, Observation, Problem


class Protocol(eqx.Module):
    """How many episodes a trial has, and whether the agent acts without noise."""

    exploration_episodes: int = eqx.field(static=True, default=1)
    """Exploration episodes in a trial."""
    exploitation_episodes: int = eqx.field(static=True, default=1)
    """Exploitation episodes in a trial."""
    greedy: bool = eqx.field(static=True, default=False)
    """Act without the noise of training."""


class Episodes(eqx.Module):
    """Episodes of one phase; every field has the leading axes [..., episode].

    After an episode's end its arrays go on with values that mean nothing: `mask` says which steps took place.
    """

    observations: Observation
    """[..., episode, time + 1, *observation]: the one before each step, and the last one."""
    actions: Action
    """[..., episode, time, *action]."""
    rewards: Float[Array, "*batch episode time"]
    """Rewards; 0 where `mask` is False."""
    ended: Bool[Array, "*batch episode time"]
    """The return ends with this step (`Spec.ends_return`); False where `mask` is False."""
    mask: Bool[Array, "*batch episode time"]
    """The step took place; such steps come first."""
    goals: Goal
    """[..., episode, *goal], or None in a family without goals."""
    kept: Any = None
    """[..., episode, time, …]: what the agent kept of each decision, see `Agent.keep`."""

    @property
    def seen(self) -> Bool[Array, "*batch episode time+1"]:
        """Which observations were seen: the first one, and those after steps that took place."""
        return jnp.concatenate([jnp.ones_like(self.mask[..., :1]), self.mask], axis=-1)

    @property
    def returns(self) -> Float[Array, "*batch episode"]:
        """Undiscounted return of each episode."""
        return self.rewards.sum(axis=-1)

    @property
    def lengths(self) -> Array:
        """Steps of each episode, [..., episode]."""
        return self.mask.sum(axis=-1)


class Trial(eqx.Module):
    """Exploration episodes, then exploitation episodes, in one problem."""

    problem: Problem
    """[..., k], the problem ID: for learning and for measuring, never for an agent at test time."""
    exploration: Episodes
    """Episodes whose reward does not count."""
    exploitation: Episodes
    """Episodes whose return is the score."""
    informed: Bool[Array, "*batch"]
    """Whether the agent acted on the problem ID, as it may in some of the training trials."""
    priority: Float[Array, "*batch"] | None = None
    """How much there is to learn from a fresh trial, see `Agent.priority`; None in a trial drawn from replay."""
    weight: Float[Array, "*batch"] | None = None
    """Importance weight of a trial drawn from replay: how often such trials happen, over how often they are drawn. None
    where the two are the same."""

    def weight_unless(self, told: Bool[Array, "*batch"] | bool) -> Float[Array, "*batch"] | None:
        """The weight, for a policy that is told the problem in some of the trials: 1 in those.

        To one that knows the problem, luck does not look like skill.
        """
        return None if self.weight is None else jnp.where(told, 1, self.weight)
