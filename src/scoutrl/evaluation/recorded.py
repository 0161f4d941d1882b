"""What is kept of trials that films and pages show, in any family."""

import abc
import dataclasses
from collections.abc import Iterator, Sequence
from typing import ClassVar

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from scoutrl.envs import Spec
from scoutrl.envs.base import Goal
from scoutrl.trials.agent import Phase
from scoutrl.trials.trial import Episodes


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


class Moments(eqx.Module):
    """What is noted of the agent before the first step of an episode and after each."""

    known: Array
    z: Array | None
    """What the agent has decoded of the problem; None of an agent that decodes nothing."""


@dataclasses.dataclass(frozen=True)
class Drawn:
    """An episode in pictures: its moments up to the end."""

    pictures: np.ndarray
    """As in `RecordedEpisode`."""
    spots: np.ndarray
    """As in `RecordedEpisode`."""


class Drawer(abc.ABC):
    """Draws what took place in recorded trials; pictures of all of them would not fit into memory."""

    at_once: ClassVar[int] = 8
    """Trials that are best drawn together."""

    @abc.abstractmethod
    def draw(self, trials: Sequence[int]) -> list[list[Drawn]]:
        """For each of the trials its episodes, in order.

        Raises:
            ScoutError: the family cannot be drawn.
        """


@dataclasses.dataclass(frozen=True)
class RecordedTrials:
    """Some trials; all arrays are NumPy and have the leading axis [trials]."""

    env: Spec
    ids: np.ndarray
    """[trials, k]: problem IDs."""
    phases: tuple[Phase, ...]
    """The phases of a trial's episodes, in order."""
    shown: tuple[bool, ...]
    """Whether the agent was shown the goal of each of these episodes."""
    episodes: tuple[Episodes, ...]
    """One for each phase; `kept` holds preferences."""
    moments: tuple[Moments, ...]
    """One for each phase, [trials, horizon + 1, …]."""
    drawer: Drawer
    """Draws them."""

    def of_phase(self, phase: Phase) -> list[int]:
        """Which of the episodes are of a phase."""
        return [place for place, one in enumerate(self.phases) if one == phase]

    def goals(self) -> np.ndarray | None:
        """[trials, *goal]: of the first exploitation episode; None in a family without goals."""
        goals = self.episodes[self.of_phase(Phase.EXPLOITATION)[0]].goals
        return None if goals is None else np.asarray(goals)

    def known(self) -> np.ndarray:
        """[trials]: what was known when exploration was over; NaN if nobody can tell."""
        return np.asarray(self.moments[self.of_phase(Phase.EXPLORATION)[-1]].known[:, -1])

    def returns(self, phase: Phase) -> np.ndarray:
        """[trials]: mean return of the episodes of a phase."""
        return np.mean([self.episodes[place].rewards.sum(axis=1) for place in self.of_phase(phase)], axis=0)

    def lengths(self, phase: Phase) -> np.ndarray:
        """[trials]: mean steps of the episodes of a phase."""
        return np.mean([self.episodes[place].mask.sum(axis=1) for place in self.of_phase(phase)], axis=0)

    def some(self, trials: Sequence[int]) -> Iterator[list[RecordedEpisode]]:
        """The episodes of some of the trials, with pictures; only those of a few trials are in memory."""
        for start in range(0, len(trials), self.drawer.at_once):
            few = trials[start : start + self.drawer.at_once]
            for trial, drawn in zip(few, self.drawer.draw(few), strict=True):
                yield [self._episode(trial, place, one) for place, one in enumerate(drawn)]

    def _episode(self, trial: int, place: int, drawn: Drawn) -> RecordedEpisode:
        """One of the episodes of a trial: its moments up to its end."""
        episode, moments = jax.tree.map(lambda x: x[trial], (self.episodes[place], self.moments[place]))
        count = len(drawn.pictures)
        return RecordedEpisode(
            self.phases[place],
            pictures=drawn.pictures,
            spots=drawn.spots,
            observations=episode.observations[:count],
            rewards=np.concatenate([np.zeros(1, np.float32), episode.rewards])[:count],
            known=moments.known[:count],
            goal=episode.goals if self.shown[place] else None,
            actions=episode.actions[: count - 1],
            preferences=None if episode.kept is None else episode.kept[: count - 1],
        )
