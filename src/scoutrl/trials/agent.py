"""The agent: a trained meta-policy, the same four verbs for every algorithm."""

import abc
import dataclasses
import enum
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, PRNGKeyArray

from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation

Memory = Any
"""Whatever pytree of arrays an agent keeps within a trial."""


Sight = Any
"""What an agent makes of one observation: an array."""


class Phase(enum.StrEnum):
    """What an episode of a trial is for."""

    EXPLORATION = "exploration"
    """Look around; the reward does not count and no goal is shown."""
    EXPLOITATION = "exploitation"
    """Do the job; the return is the score."""


class Agent(eqx.Module):
    """A meta-policy in pure JAX, for one trial at a time (vmap makes batches).

    None of the four verbs is ever told the problem ID: whatever an agent knows of a problem it has observed.
    """

    @property
    def informed(self) -> Bool[Array, ""] | None:
        """Whether it is told the problem, as some of those may be that collect training trials; None: never."""
        return None

    @abc.abstractmethod
    def begin(self, key: PRNGKeyArray) -> Memory:
        """Forget everything: a new problem."""

    @abc.abstractmethod
    def begin_episode(self, memory: Memory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> Memory:
        """Start an episode; `phase` is static, `goal` is None when exploring and in families without goals."""

    def look(self, observation: Observation) -> Sight:
        """What `act` and `observe` are given of an observation: features where the agent has any, else all of it.

        Each observation is looked at once, though it is both what one action leads to and what the next is based on.
        """
        return jnp.asarray(observation)

    @abc.abstractmethod
    def act(self, memory: Memory, sight: Sight, key: PRNGKeyArray, greedy: bool) -> tuple[Action, Memory]:
        """Choose an action; `greedy` is static and leaves out the noise that training adds."""

    @abc.abstractmethod
    def observe(self, memory: Memory, action: Action, step: Step) -> Memory:
        """Take in what the environment answered to `action`; its observation has been looked at."""


def looked(agent: Agent, step: Step) -> Step:
    """The same step, with what `agent` makes of its observation: what `observe` is given."""
    return dataclasses.replace(step, observation=agent.look(step.observation))
