"""What an algorithm is: hyper-parameters, a state to begin with, an agent to act with, a way to learn."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import MetaEnv, Problem
from scoutrl.trials.agent import Agent
from scoutrl.trials.trial import Trial

TrainState = Any
"""A pytree of arrays with named fields; everything an algorithm needs to go on is in it."""
Metrics = dict[str, Float[Array, ""]]
"""Named scalars of one iteration."""


class Algorithm(eqx.Module):
    """A meta-learner. Its fields are its hyper-parameters, each with a docstring.

    Everything here is pure and may be jitted, and vmapped over keys: independent seeds in one program.
    """

    trials: eqx.AbstractVar[int]
    """Trials collected in one iteration."""
    updates: eqx.AbstractVar[int]
    """Gradient steps in one iteration."""
    explorations: eqx.AbstractVar[int]
    """Exploration episodes of a trial."""
    exploitations: eqx.AbstractVar[int]
    """Exploitation episodes of a trial."""

    @abc.abstractmethod
    def init(self, env: MetaEnv, key: PRNGKeyArray) -> TrainState:
        """Networks, optimisers, replay: all as they are before the first step.

        Raises:
            ScoutError: the family has spaces this algorithm cannot deal with.
        """

    @abc.abstractmethod
    def agent(self, env: MetaEnv, state: TrainState) -> Agent:
        """The agent to evaluate and to deploy. It holds nothing that knows a problem ID."""

    def knowledge(self, env: MetaEnv, state: TrainState) -> Knowledge | None:
        """What tells people how much the agent knows of a problem; None where there is no telling."""
        del env, state
        return None

    @abc.abstractmethod
    def collector(self, env: MetaEnv, state: TrainState, problem: Problem, key: PRNGKeyArray) -> Agent:
        """The agent to collect one training trial with; while training it may be told the problem's ID."""

    @abc.abstractmethod
    def learn(self, env: MetaEnv, state: TrainState, trials: Trial, key: PRNGKeyArray) -> tuple[TrainState, Metrics]:
        """Take in freshly collected trials (leading axis [trials]) and do `updates` gradient steps."""
