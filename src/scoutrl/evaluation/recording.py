"""Trials of a trained agent, kept with all that a film of them shows."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import MetaEnv, Problem
from scoutrl.envs.base import Goal, State
from scoutrl.envs.spot import spot
from scoutrl.trials.agent import Agent, Memory, Phase
from scoutrl.trials.rollout import play
from scoutrl.trials.trial import Episodes, Protocol


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


def recorder(
    env: MetaEnv, protocol: Protocol
) -> Callable[[Agent, Knowledge | None, Problem, PRNGKeyArray], list[RecordedEpisode]]:
    """An `(agent, knowledge, problem, key) -> episodes` of one trial: episodes to explore, then episodes to exploit."""
    phases = [Phase.EXPLORATION] * protocol.exploration_episodes + [Phase.EXPLOITATION] * protocol.exploitation_episodes

    @eqx.filter_jit
    def watched(
        agent: Agent, knowledge: Knowledge | None, memory: Memory, problem: Problem, phase: Phase, key: PRNGKeyArray
    ) -> tuple[Memory, Episodes, dict[str, Array]]:
        def moment(now: State, memory: Memory) -> dict[str, Array]:
            knows = jnp.float32(jnp.nan) if knowledge is None else knowledge(problem, memory)
            return {"pictures": env.render(now), "spots": spot(env, now), "known": knows}

        return play(env, agent, memory, problem, key, phase, greedy=protocol.greedy, watch=moment)

    def record(agent: Agent, knowledge: Knowledge | None, problem: Problem, key: PRNGKeyArray) -> list[RecordedEpisode]:
        begin, *keys = jax.random.split(key, 1 + len(phases))
        memory, episodes = agent.begin(begin), []
        for phase, episode_key in zip(phases, keys, strict=True):
            memory, episode, moments = watched(agent, knowledge, memory, problem, phase, episode_key)
            episodes.append(_scene(phase, episode, moments))
        return episodes

    return record


def _scene(phase: Phase, episode: Episodes, moments: dict[str, Array]) -> RecordedEpisode:
    """The moments up to the end of the episode."""
    count = 1 + int(np.sum(episode.mask))
    rewards = np.concatenate([np.zeros(1, np.float32), np.asarray(episode.rewards)])
    arrays = {name: np.asarray(values)[:count] for name, values in moments.items()}
    goal = episode.goals if phase == Phase.EXPLOITATION else None
    return RecordedEpisode(
        phase, observations=np.asarray(episode.observations)[:count], rewards=rewards[:count], goal=goal, **arrays
    )
