"""What an agent knows, for people who look on."""

import abc

import equinox as eqx
from jaxtyping import Array, Float

from scoutrl.envs import Problem
from scoutrl.trials.agent import Memory


class Knowledge(eqx.Module):
    """Tells how much of what is worth knowing about a problem an agent's memory holds.

    This is told the problem; the agent is not. An algorithm that can tell gives one by `Algorithm.knowledge`.
    """

    @abc.abstractmethod
    def __call__(self, problem: Problem, memory: Memory) -> Float[Array, ""]:
        """0 is nothing, 1 everything; below 0 the agent believes what is not so.

        Args:
            problem: the ID, shape [k].
            memory: the agent's, at any moment of a trial in that problem.
        """
