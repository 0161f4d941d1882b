"""One trial of a trained agent, kept with all that a film of it shows."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, TrainState
from scoutrl.algorithms.knowledge import known
from scoutrl.envs import MetaEnv, Problem
from scoutrl.envs.base import Goal, Observation
from scoutrl.envs.spot import spot
from scoutrl.trials.agent import Agent, Memory, Phase


class Scene(eqx.Module):
    """An episode as it was lived; arrays of NumPy."""

    phase: str = eqx.field(static=True)
    pictures: np.ndarray
    """[moments, height, width, 3] uint8: `render` before the first step and after each."""
    spots: np.ndarray
    """[moments, 2]: column and row in the picture where the agent is; NaN if the family does not tell."""
    observations: np.ndarray
    """[moments, *observation]."""
    rewards: np.ndarray
    """[moments]: the reward that led there, 0 at first."""
    known: np.ndarray
    """[moments]: what the agent knew of the problem, see `known`; NaN if nobody can tell."""
    goal: Goal


class _Moment(eqx.Module):
    state: object
    observation: Observation
    memory: Memory
    alive: Bool[Array, ""]


def live(env: MetaEnv, algorithm: Algorithm, state: TrainState, problem: Problem, key: PRNGKeyArray) -> list[Scene]:
    """The episodes of one greedy trial: all for exploring, then all for exploiting."""
    agent = algorithm.agent(env, state)
    begin, *keys = jax.random.split(key, 1 + algorithm.explorations + algorithm.exploitations)
    phases = [Phase.EXPLORATION] * algorithm.explorations + [Phase.EXPLOITATION] * algorithm.exploitations
    memory, scenes = agent.begin(begin), []
    for phase, episode_key in zip(phases, keys, strict=True):
        memory, scene = _episode(env, algorithm, state, agent, memory, problem, phase, episode_key)
        scenes.append(scene)
    return scenes


def _episode(
    env: MetaEnv,
    algorithm: Algorithm,
    state: TrainState,
    agent: Agent,
    memory: Memory,
    problem: Problem,
    phase: Phase,
    key: PRNGKeyArray,
) -> tuple[Memory, Scene]:
    memory, goal, moments, rewards, learnt = _play(env, algorithm, state, agent, memory, problem, phase, key)
    # The first is before the first step; then come the steps that were lived.
    count = 1 + int(np.sum(moments.alive[:-1]))
    shown = jax.tree.map(lambda x: x[:count], moments.state)
    scene = Scene(
        phase=str(phase),
        pictures=np.asarray(jax.lax.map(env.render, shown)),
        spots=np.asarray(jax.vmap(lambda one: spot(env, one))(shown)),
        observations=np.asarray(moments.observation[:count]),
        rewards=np.asarray(rewards[:count]),
        known=np.asarray(learnt[:count]),
        goal=goal,
    )
    return memory, scene


@eqx.filter_jit
def _play(
    env: MetaEnv,
    algorithm: Algorithm,
    state: TrainState,
    agent: Agent,
    memory: Memory,
    problem: Problem,
    phase: Phase,
    key: PRNGKeyArray,
) -> tuple[Memory, Goal, _Moment, Array, Array]:
    """Memory at the end, goal, and what there was at every moment [horizon + 1]."""
    reset_key, begin_key, steps_key = jax.random.split(key, 3)
    start, observation = env.reset(problem, reset_key)
    goal = env.goal(start)
    memory = agent.begin_episode(memory, phase, goal if phase == Phase.EXPLOITATION else None, begin_key)

    def step(now: _Moment, key: PRNGKeyArray) -> tuple[_Moment, tuple]:
        act_key, env_key = jax.random.split(key)
        action, memory = agent.act(now.memory, now.observation, act_key, greedy=True)
        state_, answer = env.step(now.state, action, env_key)
        memory = agent.observe(memory, action, answer)
        alive = now.alive & ~(jnp.asarray(answer.terminated) | jnp.asarray(answer.truncated))
        after = _Moment(state_, jnp.asarray(answer.observation), memory, alive)
        after = jax.tree.map(lambda new, old: jnp.where(now.alive, new, old), after, now)
        return after, (after, jnp.asarray(answer.reward, jnp.float32), known(algorithm, state, problem, after.memory))

    first = _Moment(start, jnp.asarray(observation), memory, jnp.bool_(True))
    end, (later, rewards, learnt) = jax.lax.scan(step, first, jax.random.split(steps_key, env.horizon))
    moments = jax.tree.map(lambda one, more: jnp.concatenate([jnp.asarray(one)[None], more]), first, later)
    rewards = jnp.concatenate([jnp.zeros(1), rewards])
    learnt = jnp.concatenate([known(algorithm, state, problem, memory)[None], learnt])
    return end.memory, goal, moments, rewards, learnt
