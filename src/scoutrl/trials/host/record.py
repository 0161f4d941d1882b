"""What happened in some trials, written down while they are played."""

from typing import Any, final

import jax
import numpy as np

from scoutrl.envs.base import Spec
from scoutrl.trials.trial import Episodes


@final
class PhaseRecord:
    """The episodes of one phase, of several trials that are played at once."""

    def __init__(self, spec: Spec, trials: int, episodes: int, observation: np.ndarray, goal: np.ndarray | None):
        """Room for them; `observation` and `goal` are of the shapes and types that will come, [trials, …]."""
        shape = trials, episodes, spec.horizon
        self._spec = spec
        self._observations = np.zeros((trials, episodes, spec.horizon + 1, *observation.shape[1:]), observation.dtype)
        self._goals = None if goal is None else np.zeros((trials, episodes, *goal.shape[1:]), goal.dtype)
        self._rewards = np.zeros(shape, np.float32)
        self._ended, self._mask = np.zeros(shape, bool), np.zeros(shape, bool)
        self._shape, self._actions, self._kept = shape, None, None

    def begin(self, episode: int, observations: np.ndarray, goals: np.ndarray | None) -> None:
        """An episode begins; what is seen first stands wherever nothing else is written later."""
        self._observations[:, episode] = observations[:, None]
        if self._goals is not None:
            self._goals[:, episode] = goals

    def step(self, episode: int, time: int, action: np.ndarray, kept: Any, active: np.ndarray, answer: Any) -> None:
        """A step that took place in the trials that were active; `answer` is a `Step`."""
        if self._actions is None:
            self._actions, self._kept = self._room(action), jax.tree.map(self._room, kept)
        self._actions[:, episode, time] = action
        jax.tree.map(lambda all_, one: _write(all_, episode, time, one), self._kept, kept)
        # What was seen last stands to the end.
        self._observations[:, episode, time + 1 :] = answer.observation[:, None]
        out_of_time = answer.truncated | (time + 1 == self._spec.horizon)
        self._rewards[:, episode, time] = answer.reward
        self._ended[:, episode, time] = active & np.asarray(self._spec.ends_return(answer.terminated, out_of_time))
        self._mask[:, episode, time] = active

    def episodes(self) -> Episodes:
        """All of it, as arrays of NumPy."""
        fields = self._observations, self._actions, self._rewards, self._ended, self._mask, self._goals, self._kept
        return Episodes(*fields)  # pyright: ignore[reportArgumentType]

    def actions(self, trial: int, episode: int) -> list[Any]:
        """What was done in an episode so far."""
        if self._actions is None:
            return []
        return self._actions[trial, episode][self._mask[trial, episode]].tolist()

    def _room(self, one: Any) -> np.ndarray:
        array = np.asarray(one)
        return np.zeros((*self._shape, *array.shape[1:]), array.dtype)


def _write(all_: np.ndarray, episode: int, time: int, one: Any) -> None:
    all_[:, episode, time] = np.asarray(one)
