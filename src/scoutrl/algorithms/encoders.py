"""The encoders that all policies of an algorithm share."""

from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.envs import Spaces
from scoutrl.envs.base import Goal
from scoutrl.nn.encoders import Encoder, encoder_for
from scoutrl.nn.init import Rng


@final
class Encoders(eqx.Module):
    """From observations, actions and goals to features."""

    observation: Encoder
    """Encodes observations."""
    action: Encoder
    """Encodes actions."""
    goal: Encoder | None
    """Encodes goals; None without goals."""

    def __init__(self, spaces: Spaces, rng: Rng):
        """Draw encoders for the spaces of a family.

        Raises:
            ScoutError: a space that no encoder reads.
        """
        self.observation = encoder_for(spaces.observation, rng)
        self.action = encoder_for(spaces.action, rng)
        self.goal = None if spaces.goal is None else encoder_for(spaces.goal, rng)

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
