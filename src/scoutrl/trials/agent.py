"""The agent: a trained meta-policy, the same verbs for every algorithm."""

import abc
import dataclasses
import enum
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation

Memory = Any
"""Whatever pytree of arrays an agent keeps within a trial."""
Features = Any
"""An agent's encoding of one observation: an array."""
Kept = Any
"""Whatever pytree of arrays learning wants to know of a decision beside the action; None for nothing."""


class Phase(enum.StrEnum):
    """What an episode of a trial is for."""

    EXPLORATION = "exploration"
    """Look around; the reward does not count."""
    EXPLOITATION = "exploitation"
    """Do the job; the return is the score."""


class Agent(eqx.Module):
    """A meta-policy in pure JAX, for one trial at a time (vmap makes batches).

    None of the verbs is ever given the problem ID: whatever an agent knows of a problem it has observed.
    """

    @property
    def informed(self) -> Bool[Array, ""]:
        """Whether the agent acts on the problem ID, as some of those may that collect training trials."""
        return jnp.bool_(False)

    @property
    def sees_goal_exploring(self) -> bool:
        """Whether it is shown the goal of an exploration episode as well; static."""
        return False

    @abc.abstractmethod
    def begin(self, key: PRNGKeyArray) -> Memory:
        """Forget everything: a new problem."""

    @abc.abstractmethod
    def begin_episode(self, memory: Memory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> Memory:
        """Start an episode; `phase` is static.

        `goal` is None in families without goals, and when exploring unless `sees_goal_exploring`.
        """

    def encode(self, observation: Observation) -> Features:
        """What `act` and `observe` are given of an observation: its features, or all of it if there is no encoder.

        Each observation is encoded once, though it is both what one action leads to and what the next is based on.
        """
        return jnp.asarray(observation)

    @abc.abstractmethod
    def act(self, memory: Memory, features: Features, key: PRNGKeyArray, greedy: bool) -> tuple[Action, Memory]:
        """Choose an action; `greedy` is static and leaves out the noise that training adds."""

    def keep(self, memory: Memory, action: Action) -> Kept:
        """What learning wants to know of this decision beside the action; `memory` is what `act` returned."""
        return None

    def ends(self, memory: Memory) -> Bool[Array, ""] | bool:
        """Whether it ends the exploration episode in place of the action chosen; `memory` is what `act` returned.

        For families that have no action for that. The action is not done then. Exploitation episodes are not ended.
        """
        return False

    def priority(self, memory: Memory) -> Float[Array, ""] | float:
        """How much there is to learn from the trial, 0 or more, by what is remembered when exploration is over."""
        return 0.0

    @abc.abstractmethod
    def observe(self, memory: Memory, action: Action, step: Step) -> Memory:
        """Take in what the environment answered to `action`; the observation in `step` has been encoded."""


def encode_step(agent: Agent, step: Step) -> Step:
    """The same step with `agent`'s features in place of the observation: what `observe` is given."""
    return dataclasses.replace(step, observation=agent.encode(step.observation))
