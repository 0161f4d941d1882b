"""Trials of a trained agent, recorded with all that a film or a page shows of them."""

from collections.abc import Callable
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
from scoutrl.errors import ScoutError
from scoutrl.evaluation.decisions import WatchedAgent
from scoutrl.evaluation.recorded import Moments, RecordedTrials
from scoutrl.evaluation.stage import Played, Stage, keys_of, phases_of
from scoutrl.evaluation.stage_in_jax import StageInJax
from scoutrl.evaluation.stage_on_host import StageOnHost
from scoutrl.trials.agent import Agent, Memory, Phase
from scoutrl.trials.rollout import play
from scoutrl.trials.trial import Episodes, Protocol

Recorder = Callable[[Agent, Knowledge | None, np.ndarray, PRNGKeyArray], RecordedTrials]
"""Plays trials: of an agent and what tells its knowledge, in problems [trials, k], with keys [trials]."""


def recorder(env: Spec, protocol: Protocol) -> Recorder:
    """An `(agent, knowledge, ids [trials, k], keys [trials]) -> trials`: in each, episodes to explore, then to exploit.

    The trials are those that a sampler plays with the same keys. It compiles anew for another number of trials.

    Raises:
        ScoutError: nothing steps the family.
    """
    stage, phases = _stage(env, protocol), phases_of(protocol)

    @eqx.filter_jit
    def watched(agent: Agent, knowledge: Knowledge | None, ids: Array, keys: PRNGKeyArray, prepared: Any) -> list[Any]:
        def trial(problem: Problem, key: PRNGKeyArray, prepared: Any) -> list[tuple[Episodes, tuple[Moments, Any]]]:
            begin, each = keys_of(key, protocol)
            seen, found = WatchedAgent(agent), []
            memory = seen.begin(begin)

            def moment(now: State, memory: Memory) -> tuple[Moments, Any]:
                knows = jnp.float32(jnp.nan) if knowledge is None else knowledge(problem, memory)
                return Moments(knows, memory.z if isinstance(memory, DreamMemory) else None), stage.note(now)

            for place, (phase, episode_key) in enumerate(zip(phases, each, strict=True)):
                here = stage.env(prepared, place)
                memory, episode, moments = play(
                    here, seen, memory, problem, episode_key, phase, greedy=protocol.greedy, watch=moment
                )
                found.append((episode, moments))
            return found

        return jax.vmap(trial)(ids, keys, prepared)

    def record(agent: Agent, knowledge: Knowledge | None, ids: np.ndarray, keys: PRNGKeyArray) -> RecordedTrials:
        ids = np.asarray(ids)
        prepared = stage.prepare(agent, ids, keys)
        with callbacks_of(env.title):
            found = jax.device_get(watched(agent, knowledge, jnp.asarray(ids), keys, prepared))
        has_goals = env.spaces.goal is not None
        shown = tuple(has_goals and (p == Phase.EXPLOITATION or agent.sees_goal_exploring) for p in phases)
        episodes = tuple(stage.as_played(prepared, place, episode) for place, (episode, _) in enumerate(found))
        moments, noted = zip(*(watching for _, watching in found), strict=True)
        drawer = stage.drawer(Played(ids, keys, episodes, noted, shown))
        return RecordedTrials(env, ids, phases, shown, episodes, moments, drawer)

    return record


def _stage(env: Spec, protocol: Protocol) -> Stage:
    if isinstance(env, MetaEnv):
        return StageInJax(env)
    if isinstance(env, HostFamily):
        return StageOnHost(env, protocol)
    raise ScoutError(f"{env.title} has no simulator: nothing can be recorded in it.")
