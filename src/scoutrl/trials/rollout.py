"""Roll an agent through a trial of a family in JAX: one scan per episode, everything on the device."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PRNGKeyArray

from scoutrl.envs import MetaEnv, Problem, Step
from scoutrl.envs.base import Action, State
from scoutrl.envs.spaces import is_image
from scoutrl.trials.active import skip_finished
from scoutrl.trials.agent import Agent, Features, Memory, Phase, encode_step
from scoutrl.trials.trial import Episodes, Protocol, Trial


def rollout(env: MetaEnv, agent: Agent, problem: Problem, key: PRNGKeyArray, protocol: Protocol) -> Trial:
    """One trial of `agent` in `problem` (shape [k]); the agent itself is not given the problem."""
    begin, explore, exploit = jax.random.split(key, 3)
    memory = agent.begin(begin)
    memory, exploration = _episodes(env, agent, memory, problem, explore, Phase.EXPLORATION, protocol)
    priority = jnp.asarray(agent.priority(memory), jnp.float32)
    _, exploitation = _episodes(env, agent, memory, problem, exploit, Phase.EXPLOITATION, protocol)
    return Trial(jnp.asarray(problem), exploration, exploitation, agent.informed, priority)


def _episodes(
    env: MetaEnv,
    agent: Agent,
    memory: Memory,
    problem: Problem,
    key: PRNGKeyArray,
    phase: Phase,
    protocol: Protocol,
) -> tuple[Memory, Episodes]:
    """All episodes of one phase, stacked. The first is apart: it may change the structure of the memory."""
    exploring = phase == Phase.EXPLORATION
    keys = jax.random.split(key, protocol.exploration_episodes if exploring else protocol.exploitation_episodes)

    def body(memory: Memory, key: PRNGKeyArray) -> tuple[Memory, Episodes]:
        memory, episode, _ = play(env, agent, memory, problem, key, phase, greedy=protocol.greedy)
        return memory, episode

    memory, first = body(memory, keys[0])
    first = jax.tree.map(lambda x: x[None], first)
    if len(keys) == 1:
        return memory, first
    memory, rest = jax.lax.scan(body, memory, keys[1:])
    return memory, jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first, rest)


class _Moment(eqx.Module):
    """What one step of an episode hands to the next."""

    state: State
    observation: Array
    features: Features
    memory: Memory
    active: Bool[Array, ""]


def _unwatched(state: State, memory: Memory) -> None:
    del state, memory


def play(
    env: MetaEnv,
    agent: Agent,
    memory: Memory,
    problem: Problem,
    key: PRNGKeyArray,
    phase: Phase,
    *,
    greedy: bool,
    watch: Callable[[State, Memory], Any] = _unwatched,
) -> tuple[Memory, Episodes, Any]:
    """One episode: the memory at its end, the episode (without a leading axis), and what `watch` returned.

    `watch(state, memory)` is asked at the beginning and after every step; its answers are stacked, [horizon + 1, ...].
    """
    reset_key, begin_key, steps_key = jax.random.split(key, 3)
    state, observation = env.reset(problem, reset_key)
    goal = env.goal(state)
    shown = goal if phase == Phase.EXPLOITATION or agent.sees_goal_exploring else None
    memory = agent.begin_episode(memory, phase, shown, begin_key)

    def step(now: _Moment, given: tuple[Array, PRNGKeyArray]) -> tuple[_Moment, tuple]:
        done, key = given
        act_key, env_key = jax.random.split(key)
        action, memory = agent.act(now.memory, now.features, act_key, greedy)
        kept = agent.keep(memory, action)
        active = now.active & ~jnp.asarray(agent.ends(memory)) if phase == Phase.EXPLORATION else now.active
        state, observation, answer = _stepped(env, agent, now, action, env_key)
        memory = agent.observe(memory, action, answer)
        over = answer.terminated | answer.truncated
        after = _Moment(state, observation, answer.observation, memory, active & ~over)
        # Once an episode has ended its memory and observation stay as they were.
        after = jax.tree.map(lambda new, old: jnp.where(active, new, old), after, now)
        after = eqx.tree_at(lambda moment: moment.active, after, active & ~over)
        reward = jnp.where(active, answer.reward, 0.0)
        seen = after.observation, watch(after.state, after.memory)
        ended = env.ends_return(answer.terminated, answer.truncated | (done + 1 == env.horizon))
        return after, (seen, action, reward, ended & active, active, kept)

    observation = jnp.asarray(observation)
    start = _Moment(state, observation, agent.encode(observation), memory, jnp.bool_(True))
    each = jnp.arange(env.horizon), jax.random.split(steps_key, env.horizon)
    end, (later, actions, rewards, ended, mask, kept) = jax.lax.scan(step, start, each)
    first = start.observation, watch(start.state, start.memory)
    observations, watched = jax.tree.map(lambda one, more: jnp.concatenate([one[None], more]), first, later)
    return end.memory, Episodes(observations, actions, rewards, ended, mask, goal, kept), watched


def _stepped(env: MetaEnv, agent: Agent, now: _Moment, action: Action, key: PRNGKeyArray) -> tuple[State, Array, Step]:
    """The state after a step, what is observed there, and the answer with `agent`'s features of it."""
    arrays, rest = eqx.partition((env, agent), eqx.is_array)

    def stepped(arrays: tuple, own: tuple) -> tuple[State, Array, Step]:
        env, agent = eqx.combine(arrays, rest)
        state, answer = env.step(*own)
        answer = _as_arrays(answer)
        return state, answer.observation, encode_step(agent, answer)

    own = now.state, action, key
    if is_image(env.spaces.observation):  # other steps cost less than sorting the episodes
        return skip_finished(stepped, now.active, arrays, own)
    return stepped(arrays, own)


def _as_arrays(step: Step) -> Step:
    """A family may answer with Python's own numbers and truth values; agents and learners get arrays."""
    return Step(
        jnp.asarray(step.observation),
        jnp.asarray(step.reward, jnp.float32),
        jnp.asarray(step.terminated, bool),
        jnp.asarray(step.truncated, bool),
    )
