"""The encoders that all policies of an algorithm share."""

import dataclasses
from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from scoutrl.envs import Spec
from scoutrl.envs.base import Goal
from scoutrl.nn.encoders import Encoder, encoder_for
from scoutrl.nn.init import Rng
from scoutrl.trials.encode import EncodedEpisodes, encode_observations
from scoutrl.trials.trial import Episodes


@final
class Encoders(eqx.Module):
    """From observations, actions and goals to features."""

    observation: Encoder
    """Encodes observations."""
    action: Encoder
    """Encodes actions."""
    goal: Encoder | None
    """Encodes goals; None without goals."""
    horizon: int | None = eqx.field(static=True)
    """Steps of an episode, by which the time left is told; None if it is not."""

    def __init__(self, spec: Spec, see_time: bool, rng: Rng):
        """Draw encoders for the spaces of a family; with `see_time` the time left is seen beside each observation.

        Raises:
            ScoutError: a space that no encoder reads.
        """
        spaces = spec.spaces
        self.horizon = spec.horizon if see_time else None
        self.observation = encoder_for(spaces.observation, rng)
        self.action = encoder_for(spaces.action, rng)
        self.goal = None if spaces.goal is None else encoder_for(spaces.goal, rng)

    @property
    def seen(self) -> int:
        """Length of what is seen at one moment."""
        return self.observation.size + (self.horizon is not None)

    def moment(
        self, features: Float[Array, "*batch features"], done: Int[Array, "*batch"]
    ) -> Float[Array, "*batch seen"]:
        """What is seen after `done` steps of an episode: an observation's features, and the share of the time left."""
        if self.horizon is None:
            return features
        return jnp.concatenate([features, 1 - done[..., None] / self.horizon], axis=-1)

    def episodes(self, episodes: Episodes) -> EncodedEpisodes:
        """Episodes with what is seen at each moment in place of observations."""
        encoded = encode_observations(self.observation, episodes)
        done = jnp.broadcast_to(jnp.arange(encoded.features.shape[-2]), encoded.features.shape[:-1])
        return dataclasses.replace(encoded, features=self.moment(encoded.features, done))

    @property
    def goal_size(self) -> int:
        """Length of a goal's features; 0 without goals."""
        return 0 if self.goal is None else self.goal.size

    def no_goal(self, *batch: int) -> Float[Array, "*batch goal"]:
        """The features of a goal that is hidden, or that there is none of."""
        return jnp.zeros((*batch, self.goal_size))

    def goals(self, goals: Goal, *batch: int) -> Float[Array, "*batch goal"]:
        """Features of goals with these leading axes; those of a hidden one where `goals` is None."""
        return self.no_goal(*batch) if self.goal is None or goals is None else self.goal(jnp.asarray(goals))
