"""What an algorithm is: hyper-parameters, a state to begin with, an agent to act with, a way to learn."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import Problem, Spec
from scoutrl.trials.agent import Agent
from scoutrl.trials.trial import Protocol, Trial

Metrics = dict[str, Float[Array, ""]]
"""Named scalars of one iteration."""


class AlgorithmState(eqx.Module):
    """Everything an algorithm needs to go on, by kind: checkpoints and placement on devices go by the kinds."""

    networks: Any
    """The networks being learnt."""
    targets: Any = None
    """Their running averages."""
    optimisers: Any = None
    """State of the optimisers."""
    replay: Any = None
    """Stored trials, or None."""
    counters: dict[str, Array] = eqx.field(default_factory=dict)
    """Everything else, by name: numbers of updates, running means."""


class Algorithm(eqx.Module):
    """A meta-learner. Its fields are its hyper-parameters, each with a docstring.

    All but `init` is pure and may be jitted, and vmapped: independent seeds in one program.
    """

    trials_per_iteration: eqx.AbstractVar[int]
    """Trials collected in one iteration."""
    updates_per_iteration: eqx.AbstractVar[int]
    """Gradient steps in one iteration."""
    exploration_episodes: eqx.AbstractVar[int]
    """Exploration episodes of a trial."""
    exploitation_episodes: eqx.AbstractVar[int]
    """Exploitation episodes of a trial."""
    shards = 1
    """Parts that a run is split into, to be computed on several devices: a field of those algorithms that can be."""

    @abc.abstractmethod
    def init(self, spec: Spec, key: PRNGKeyArray) -> AlgorithmState:
        """Networks and optimisers before the first step, without replay. Runs on the host: the key is a number.

        Raises:
            ScoutError: the family has spaces this algorithm cannot deal with.
        """

    def replay(self, spec: Spec) -> Any:
        """An empty replay, for the `replay` of the state; None for an algorithm without one."""
        return None

    @abc.abstractmethod
    def agent(self, spec: Spec, state: AlgorithmState) -> Agent:
        """The agent to evaluate and to deploy. Nothing in it has a problem ID for input; it does without the replay."""

    def evaluator(self, spec: Spec, state: AlgorithmState) -> Agent:
        """An agent that acts as the greedy `agent` does, to be evaluated while training.

        Where it is the same pytree as a `collector`, but for the numbers in it, training evaluates by the program that
        collects, and compiles no other.
        """
        return self.agent(spec, state)

    @abc.abstractmethod
    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> Agent:
        """The agent to collect one training trial with; in training it may act on the problem ID.

        In a run with `policy_lag=1` it has to do without the replay.
        """

    @abc.abstractmethod
    def learn(
        self, spec: Spec, state: AlgorithmState, trials: Trial, key: PRNGKeyArray
    ) -> tuple[AlgorithmState, Metrics]:
        """Learn from freshly collected trials (leading axis [trials]) in `updates_per_iteration` gradient steps."""

    def knowledge(self, spec: Spec, state: AlgorithmState) -> Knowledge | None:
        """How much an agent's memory holds of a problem, for people who look on; None if nobody can tell."""
        return None

    def protocol(self, greedy: bool = False) -> Protocol:
        """The episodes of a trial."""
        return Protocol(self.exploration_episodes, self.exploitation_episodes, greedy)
