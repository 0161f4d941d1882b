"""What of a run is needed to evaluate, film and deploy it: the part "agent" of a checkpoint."""

import equinox as eqx

from scoutrl import prng
from scoutrl.algorithms.base import Algorithm, AlgorithmState
from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import Spec
from scoutrl.runs.arrays import shapes_of
from scoutrl.trials.agent import Agent

AGENT = "agent"
"""Name of the part of a checkpoint that holds a `TrainedAgent`."""


class TrainedAgent(eqx.Module):
    """An agent, and what tells people how much it knows."""

    agent: Agent
    knowledge: Knowledge | None


def trained_agent(algorithm: Algorithm, spec: Spec, state: AlgorithmState) -> TrainedAgent:
    """The agent that `state` has come to."""
    return TrainedAgent(algorithm.agent(spec, state), algorithm.knowledge(spec, state))


def agent_like(algorithm: Algorithm, spec: Spec) -> TrainedAgent:
    """A `TrainedAgent` with shapes in place of arrays, for `from_arrays`."""
    return shapes_of(trained_agent(algorithm, spec, algorithm.init(spec, prng.key(0))))
