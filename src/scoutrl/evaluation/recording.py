"""Trials of a trained agent, kept with all that a film of them shows."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import MetaEnv, Problem, Spec
from scoutrl.envs.base import State
from scoutrl.envs.host import HostFamily
from scoutrl.envs.spot import spot
from scoutrl.errors import ScoutError
from scoutrl.evaluation.recorded import RecordedEpisode as RecordedEpisode
from scoutrl.evaluation.recorded import Recorder
from scoutrl.evaluation.recording_on_host import host_recorder
from scoutrl.trials.agent import Agent, Memory, Phase
from scoutrl.trials.rollout import play
from scoutrl.trials.trial import Episodes, Protocol


def recorder(env: Spec, protocol: Protocol) -> Recorder:
    """What records a trial in a family.

    Raises:
        ScoutError: nothing steps it.
    """
    if isinstance(env, MetaEnv):
        return _on_device(env, protocol)
    if isinstance(env, HostFamily):
        return host_recorder(env, protocol)
    raise ScoutError(f"{env.title} has no simulator: it cannot be filmed.")


def _on_device(env: MetaEnv, protocol: Protocol) -> Recorder:
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
