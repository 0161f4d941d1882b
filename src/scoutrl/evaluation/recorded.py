"""What a film shows of an episode."""

import dataclasses

import numpy as np

from scoutrl.envs.base import Goal
from scoutrl.trials.agent import Phase


@dataclasses.dataclass(frozen=True)
class RecordedEpisode:
    """An episode as it was lived; its moments are before the first step and after each. Arrays of NumPy."""

    phase: Phase
    pictures: np.ndarray
    """[moments, height, width, 3] uint8: what the family draws, with the goal only where the agent is shown it."""
    spots: np.ndarray
    """[moments, 2]: column and row in the picture where the agent is; NaN if the family does not tell."""
    observations: np.ndarray
    """[moments, *observation]."""
    rewards: np.ndarray
    """[moments]: the reward that led there, 0 at first."""
    known: np.ndarray
    """[moments]: what the agent knew of the problem, see `Knowledge`; NaN if nobody can tell."""
    goal: Goal
    """What the agent was told to do; None where it was not told, and in families without goals."""
    actions: np.ndarray | None = None
    """[moments - 1, *action]: what the agent did at each moment but the last."""
    preferences: np.ndarray | None = None
    """[moments - 1, components, most]: what it chose by, see `decisions.preferences`; None if that cannot be said."""
