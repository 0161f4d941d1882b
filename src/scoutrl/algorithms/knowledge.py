"""What an agent knows, for people who look on."""

import abc

import equinox as eqx
from jaxtyping import Array, Float

from scoutrl.envs import Problem
from scoutrl.trials.agent import Memory


class Knowledge(eqx.Module):
    """Tells how much of what is worth knowing about a problem an agent's memory holds."""

    @abc.abstractmethod
    def __call__(self, problem: Problem, memory: Memory) -> Float[Array, ""]:
        """0 nothing, 1 everything, below 0 worse than nothing. The agent is not given the problem; this is."""
