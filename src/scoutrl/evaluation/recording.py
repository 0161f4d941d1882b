"""Trials of a trained agent, kept with all that a film or a page shows of them."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from scoutrl.algorithms.dream.agent import DreamMemory
from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import MetaEnv, Problem, Spec
from scoutrl.envs.base import State
from scoutrl.envs.host import HostFamily
from scoutrl.envs.raised import callbacks_of
from scoutrl.envs.spot import spot
from scoutrl.errors import ScoutError
from scoutrl.evaluation.decisions import WatchedAgent
from scoutrl.evaluation.recorded import RecordedEpisode as RecordedEpisode
from scoutrl.evaluation.recording_on_host import host_recorder
from scoutrl.trials.agent import Agent, Memory, Phase
from scoutrl.trials.rollout import play
from scoutrl.trials.trial import Episodes, Protocol

_AT_ONCE = 32
"""Pictures that are drawn at a time."""


class Moments(eqx.Module):
    """What is noted before the first step of an episode and after each."""

    state: State
    spot: Array
    known: Array
    z: Array | None
    """What the agent has decoded of the problem; None of an agent that decodes nothing."""


@dataclasses.dataclass(frozen=True)
class RecordedTrials:
    """Some trials; all arrays are NumPy and have the leading axis [trials]."""

    env: MetaEnv
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
    draw: Callable[[State, bool], Array]
    """`(states, goal) -> pictures`, compiled for each of the two values of `goal`."""

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

    def some(self, trials: Sequence[int]) -> list[list[RecordedEpisode]]:
        """The episodes of some of the trials, with pictures."""
        found = [[] for _ in trials]
        for place in range(len(self.phases)):
            for episodes, episode in zip(found, self._of_place(trials, place), strict=True):
                episodes.append(episode)
        return found

    def _of_place(self, trials: Sequence[int], place: int) -> Iterator[RecordedEpisode]:
        """The same episode of each of the trials: its moments up to its end."""
        shown, all_states = self.shown[place], self.moments[place].state
        counts = [1 + int(self.episodes[place].mask[trial].sum()) for trial in trials]
        states = jax.tree.map(
            lambda x: np.concatenate([x[trial, :count] for trial, count in zip(trials, counts, strict=True)]),
            all_states,
        )
        pictures = np.split(self._drawn(states, shown, sum(counts)), np.cumsum(counts)[:-1])
        for trial, count, drawn in zip(trials, counts, pictures, strict=True):
            episode, moments = jax.tree.map(
                lambda x, trial=trial: x[trial], (self.episodes[place], self.moments[place])
            )
            yield RecordedEpisode(
                self.phases[place],
                pictures=drawn,
                spots=moments.spot[:count],
                observations=episode.observations[:count],
                rewards=np.concatenate([np.zeros(1, np.float32), episode.rewards])[:count],
                known=moments.known[:count],
                goal=episode.goals if shown else None,
                actions=episode.actions[: count - 1],
                preferences=None if episode.kept is None else episode.kept[: count - 1],
            )

    def _drawn(self, states: State, goal: bool, count: int) -> np.ndarray:
        """The pictures of `count` states, a few at a time: compiled once, with little memory."""
        filled = jax.tree.map(lambda x: np.concatenate([x, np.repeat(x[-1:], -count % _AT_ONCE, axis=0)]), states)
        with callbacks_of(type(self.env).__name__):
            drawn = [
                np.asarray(self.draw(jax.tree.map(lambda x, start=start: x[start : start + _AT_ONCE], filled), goal))
                for start in range(0, count, _AT_ONCE)
            ]
        return np.concatenate(drawn)[:count]


Recorder = Callable[[Agent, Knowledge | None, np.ndarray, PRNGKeyArray], RecordedTrials]
"""Plays trials: of an agent and what tells its knowledge, in problems [trials, k], with keys [trials]."""


def record_episodes(
    env: Spec, protocol: Protocol, agent: Agent, knowledge: Knowledge | None, ids: np.ndarray, keys: PRNGKeyArray
) -> list[list[RecordedEpisode]]:
    """The episodes of one trial in each of the problems [trials, k], with keys [trials], in any family.

    Raises:
        ScoutError: nothing steps the family, or it cannot be drawn.
    """
    if isinstance(env, HostFamily):
        record = host_recorder(env, protocol)
        return [record(agent, knowledge, problem, key) for problem, key in zip(ids, keys, strict=True)]
    return recorder(env, protocol)(agent, knowledge, ids, keys).some(range(len(ids)))


def recorder(env: Spec, protocol: Protocol) -> Recorder:
    """An `(agent, knowledge, ids [trials, k], keys [trials]) -> trials`: in each, episodes to explore, then to exploit.

    It compiles anew for another number of trials.

    Raises:
        ScoutError: the family is none in JAX.
    """
    if not isinstance(env, MetaEnv):
        raise ScoutError(f"{env.title} is no family in JAX: there are films of it, but no pages.")
    phases = (Phase.EXPLORATION,) * protocol.exploration_episodes + (
        Phase.EXPLOITATION,
    ) * protocol.exploitation_episodes

    @eqx.filter_jit
    def watched(agent: Agent, knowledge: Knowledge | None, ids: Array, keys: PRNGKeyArray) -> list[Any]:
        def trial(problem: Problem, key: PRNGKeyArray) -> list[tuple[Episodes, Moments]]:
            begin, *each = jax.random.split(key, 1 + len(phases))
            seen, found = WatchedAgent(agent), []
            memory = seen.begin(begin)

            def moment(now: State, memory: Memory) -> Moments:
                knows = jnp.float32(jnp.nan) if knowledge is None else knowledge(problem, memory)
                return Moments(now, spot(env, now), knows, memory.z if isinstance(memory, DreamMemory) else None)

            for phase, episode_key in zip(phases, each, strict=True):
                memory, episode, moments = play(
                    env, seen, memory, problem, episode_key, phase, greedy=protocol.greedy, watch=moment
                )
                found.append((episode, moments))
            return found

        return jax.vmap(trial)(ids, keys)

    def drawn(states: State, goal: bool) -> Array:
        return jax.vmap(lambda state: env.picture(state, goal))(states)

    draw = jax.jit(drawn, static_argnums=1)

    def record(agent: Agent, knowledge: Knowledge | None, ids: np.ndarray, keys: PRNGKeyArray) -> RecordedTrials:
        with callbacks_of(type(env).__name__):
            found = jax.device_get(watched(agent, knowledge, jnp.asarray(ids), keys))
        has_goals = env.spaces.goal is not None
        shown = tuple(has_goals and (p == Phase.EXPLOITATION or agent.sees_goal_exploring) for p in phases)
        episodes, moments = zip(*found, strict=True)
        return RecordedTrials(env, np.asarray(ids), phases, shown, episodes, moments, draw)

    return record
