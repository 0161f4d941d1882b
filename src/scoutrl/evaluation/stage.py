"""Where trials that are to be shown take place: what differs between kinds of families in recording them."""

import abc
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs import MetaEnv
from scoutrl.envs.base import State
from scoutrl.evaluation.recorded import Drawer
from scoutrl.trials.agent import Agent, Phase
from scoutrl.trials.trial import Episodes, Protocol


class Stage(abc.ABC):
    """Environments in JAX for an agent that is watched, and pictures of what took place in them."""

    @abc.abstractmethod
    def prepare(self, agent: Agent, ids: np.ndarray, keys: PRNGKeyArray) -> Any:
        """What `env` needs of each trial: a tree of arrays [trials, …]. Nothing is traced yet."""

    @abc.abstractmethod
    def env(self, prepared: Any, place: int) -> MetaEnv:
        """What is played in one of the episodes of a trial; `prepared` is of that trial."""

    @abc.abstractmethod
    def note(self, state: State) -> Any:
        """What pictures need to know of a state: a tree of arrays, or None."""

    @abc.abstractmethod
    def as_played(self, prepared: Any, place: int, watched: Episodes) -> Episodes:
        """An episode of each trial as it took place, [trials, …]; `watched` is what the agent that was watched did."""

    @abc.abstractmethod
    def drawer(self, played: "Played") -> Drawer:
        """Draws the trials."""


class Played(NamedTuple):
    """Trials that took place; arrays of NumPy with the leading axis [trials]."""

    ids: np.ndarray
    """[trials, k]: problem IDs."""
    keys: PRNGKeyArray
    """[trials]: keys of the trials."""
    episodes: tuple[Episodes, ...]
    """Of each place in a trial."""
    noted: tuple[Any, ...]
    """What was noted of each of their states, [trials, horizon + 1, …]."""
    shown: tuple[bool, ...]
    """Whether the agent was shown the goal of each of these episodes."""

    def counts(self, trials: Sequence[int], place: int) -> list[int]:
        """How many moments an episode has in each of the trials."""
        return [1 + int(self.episodes[place].mask[trial].sum()) for trial in trials]


def phases_of(protocol: Protocol) -> tuple[Phase, ...]:
    """The phases of a trial's episodes, in order."""
    counts = {Phase.EXPLORATION: protocol.exploration_episodes, Phase.EXPLOITATION: protocol.exploitation_episodes}
    return tuple(phase for phase, count in counts.items() for _ in range(count))


def keys_of(key: PRNGKeyArray, protocol: Protocol) -> tuple[PRNGKeyArray, list[PRNGKeyArray]]:
    """The key to begin a trial with, and that of each of its episodes, as samplers draw them."""
    _, trial = jax.random.split(key)
    begin, explore, exploit = jax.random.split(trial, 3)
    explored = jax.random.split(explore, protocol.exploration_episodes)
    return begin, [*explored, *jax.random.split(exploit, protocol.exploitation_episodes)]
