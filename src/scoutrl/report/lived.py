"""Trials of a trained agent, kept with all that a film of them shows."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, TrainState
from scoutrl.algorithms.knowledge import known
from scoutrl.envs import MetaEnv, Problem
from scoutrl.envs.base import Goal, Observation, State
from scoutrl.envs.spot import spot
from scoutrl.trials.agent import Memory, Phase, looked


@dataclasses.dataclass(frozen=True)
class Scene:
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
    """[moments]: what the agent knew of the problem, see `known`; NaN if nobody can tell."""
    goal: Goal
    """What the agent was told to do; None when exploring and in families without goals."""


class _Now(eqx.Module):
    """What goes from step to step."""

    state: State
    observation: Observation
    memory: Memory
    alive: Bool[Array, ""]


class _Played(eqx.Module):
    """An episode of full length: horizon + 1 moments."""

    memory: Memory
    """At the end."""
    goal: Goal
    alive: Bool[Array, " moments"]
    """Whether the episode went on from there."""
    moments: dict[str, Array]
    """The arrays of a `Scene`."""


def recorder(env: MetaEnv, algorithm: Algorithm) -> Callable[[TrainState, Problem, PRNGKeyArray], list[Scene]]:
    """A `(state, problem, key) -> scenes` of one greedy trial: all episodes for exploring, then all for exploiting."""
    phases = [Phase.EXPLORATION] * algorithm.explorations + [Phase.EXPLOITATION] * algorithm.exploitations

    @eqx.filter_jit
    def play(state: TrainState, memory: Memory, problem: Problem, phase: Phase, key: PRNGKeyArray) -> _Played:
        return _play(env, algorithm, state, memory, problem, phase, key)

    def record(state: TrainState, problem: Problem, key: PRNGKeyArray) -> list[Scene]:
        begin, *keys = jax.random.split(key, 1 + len(phases))
        memory, scenes = algorithm.agent(env, state).begin(begin), []
        for phase, episode_key in zip(phases, keys, strict=True):
            played = play(state, memory, problem, phase, episode_key)
            memory = played.memory
            count = 1 + int(np.sum(played.alive[:-1]))
            moments: dict[str, Any] = {name: np.asarray(values)[:count] for name, values in played.moments.items()}
            scenes.append(Scene(phase, goal=played.goal, **moments))
        return scenes

    return record


def _play(
    env: MetaEnv,
    algorithm: Algorithm,
    state: TrainState,
    memory: Memory,
    problem: Problem,
    phase: Phase,
    key: PRNGKeyArray,
) -> _Played:
    agent = algorithm.agent(env, state)
    reset_key, begin_key, steps_key = jax.random.split(key, 3)
    start, observation = env.reset(problem, reset_key)
    goal = env.goal(start) if phase == Phase.EXPLOITATION else None
    memory = agent.begin_episode(memory, phase, goal, begin_key)

    def moment(now: _Now, reward: Float[Array, ""]) -> tuple[Array, dict[str, Array]]:
        return now.alive, {
            "pictures": env.render(now.state),
            "spots": spot(env, now.state),
            "observations": now.observation,
            "rewards": reward,
            "known": known(algorithm, state, problem, now.memory),
        }

    def step(now: _Now, key: PRNGKeyArray) -> tuple[_Now, tuple[Array, dict[str, Array]]]:
        act_key, env_key = jax.random.split(key)
        action, memory = agent.act(now.memory, agent.look(now.observation), act_key, greedy=True)
        after, answer = env.step(now.state, action, env_key)
        memory = agent.observe(memory, action, looked(agent, answer))
        alive = now.alive & ~(jnp.asarray(answer.terminated) | jnp.asarray(answer.truncated))
        later = _Now(after, jnp.asarray(answer.observation), memory, alive)
        later = jax.tree.map(lambda new, old: jnp.where(now.alive, new, old), later, now)
        return later, moment(later, jnp.asarray(answer.reward, jnp.float32))

    first = _Now(start, jnp.asarray(observation), memory, jnp.bool_(True))
    end, later = jax.lax.scan(step, first, jax.random.split(steps_key, env.horizon))
    begun = moment(first, jnp.float32(0))
    alive, moments = jax.tree.map(lambda one, more: jnp.concatenate([one[None], more]), begun, later)
    return _Played(end.memory, goal, alive, moments)
