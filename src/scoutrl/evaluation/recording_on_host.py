"""Trials of a trained agent in environments on the host, recorded: one at a time, in this process, with pictures."""

from collections.abc import Callable
from typing import Any, final

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import Problem, Step
from scoutrl.envs.host import HostFamily
from scoutrl.envs.host.look import own_code
from scoutrl.envs.host.render import drawing_env, picture_of
from scoutrl.evaluation.recorded import RecordedEpisode
from scoutrl.pool.worker import close
from scoutrl.trials.agent import Agent, Memory, Phase, encode_step
from scoutrl.trials.trial import Protocol

Recorder = Callable[[Agent, Knowledge | None, Problem, PRNGKeyArray], list[RecordedEpisode]]
"""An `(agent, knowledge, problem, key) -> episodes` of one trial: episodes to explore, then episodes to exploit."""


def host_recorder(family: HostFamily, protocol: Protocol) -> Recorder:
    """What records one trial after the other."""
    counts = {Phase.EXPLORATION: protocol.exploration_episodes, Phase.EXPLOITATION: protocol.exploitation_episodes}

    def record(agent: Agent, knowledge: Knowledge | None, problem: Problem, key: PRNGKeyArray) -> list[RecordedEpisode]:
        begin, *keys = jax.random.split(key, 1 + sum(counts.values()))
        row = int(np.flatnonzero((family.problems.ids == np.asarray(problem)).all(axis=1))[0])
        env = drawing_env(family.source.job, row)
        player = _Player(family, env, row, agent, knowledge, protocol.greedy)
        memory, episodes = eqx.filter_jit(agent.begin)(begin), []
        try:
            for phase in (phase for phase, count in counts.items() for _ in range(count)):
                memory, episode = player.play(memory, phase, keys[len(episodes)])
                episodes.append(episode)
        finally:
            close(env)
        return episodes

    return record


@final
class _Player:
    """Plays episodes of one problem."""

    def __init__(
        self, family: HostFamily, env: gymnasium.Env, row: int, agent: Agent, knowledge: Knowledge | None, greedy: bool
    ):
        self._family, self._env, self._row = family, env, row
        self._agent, self._knowledge, self._greedy = agent, knowledge, greedy

    def play(self, memory: Memory, phase: Phase, key: PRNGKeyArray) -> tuple[Memory, RecordedEpisode]:
        """One episode, and the memory after it."""
        job, agent = self._family.source.job, self._agent
        reset_key, begin_key, steps_key = jax.random.split(key, 3)
        with own_code("the environment raised"):
            seen, goal = job.reset(self._env, self._row, int(jax.random.bits(reset_key)))
        shown = goal if phase == Phase.EXPLOITATION or agent.sees_goal_exploring else None
        memory, features = _begin_episode(agent, memory, phase, shown, seen, begin_key)
        moments = [self._moment(memory, seen, 0.0)]
        for step_key in jax.random.split(steps_key, self._family.horizon):
            action, after = _act(agent, memory, features, jax.random.split(step_key)[0], self._greedy)
            if phase == Phase.EXPLORATION and agent.ends(after):
                break
            memory = after
            with own_code("the environment raised"):
                seen, reward, terminated, truncated = job.step(self._env, np.asarray(action))
            answer = Step(seen, jnp.float32(reward), jnp.bool_(terminated), jnp.bool_(truncated))
            memory, features = _observe(agent, memory, action, answer)
            moments.append(self._moment(memory, seen, reward))
            if terminated or truncated:
                break
        arrays = {name: np.stack([moment[name] for moment in moments]) for name in moments[0]}
        spots = np.full((len(moments), 2), np.nan)  # no environment says where its agent is
        return memory, RecordedEpisode(phase, spots=spots, goal=goal if shown is not None else None, **arrays)

    def _moment(self, memory: Memory, seen: np.ndarray, reward: float) -> dict[str, Any]:
        problem = jnp.asarray(self._family.problems.ids[self._row])
        knows = np.nan if self._knowledge is None else _knows(self._knowledge, problem, memory)
        numbers = {"rewards": np.float32(reward), "known": np.float32(knows)}
        return {"pictures": picture_of(self._env, True), "observations": seen, **numbers}


@eqx.filter_jit
def _begin_episode(agent: Agent, memory: Memory, phase: Phase, goal: Any, seen: Any, key: PRNGKeyArray) -> Any:
    return agent.begin_episode(memory, phase, goal, key), agent.encode(seen)


@eqx.filter_jit
def _act(agent: Agent, memory: Memory, features: Any, key: PRNGKeyArray, greedy: bool) -> Any:
    return agent.act(memory, features, key, greedy)


@eqx.filter_jit
def _observe(agent: Agent, memory: Memory, action: Any, answer: Step) -> Any:
    step = encode_step(agent, answer)
    return agent.observe(memory, action, step), step.observation


@eqx.filter_jit
def _knows(knowledge: Knowledge, problem: Problem, memory: Memory) -> Any:
    return knowledge(problem, memory)
