"""What a film shows of an episode."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import Problem
from scoutrl.envs.base import Goal
from scoutrl.trials.agent import Agent, Phase


@dataclasses.dataclass(frozen=True)
class RecordedEpisode:
    """An episode as it was lived; its moments are before the first step and after each. Arrays of NumPy."""

    phase: Phase
    pictures: np.ndarray
    """[moments, height, width, 3] uint8: what the family renders."""
    spots: np.ndarray
    """[moments, 2]: column and row in the picture where the agent is; NaN if the family does not tell."""
    observations: np.ndarray
    """[moments, *observation]."""
    rewards: np.ndarray
    """[moments]: the reward that led there, 0 at first."""
    known: np.ndarray
    """[moments]: what the agent knew of the problem, see `Knowledge`; NaN if nobody can tell."""
    goal: Goal
    """What the agent was told to do; None when exploring and in families without goals."""


Recorder = Callable[[Agent, Knowledge | None, Problem, PRNGKeyArray], list[RecordedEpisode]]
"""An `(agent, knowledge, problem, key) -> episodes` of one trial: episodes to explore, then episodes to exploit."""
