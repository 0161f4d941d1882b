"""A sampler that steps one trial after the other in a Python loop, as for a simulator that JAX cannot trace."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.envs import MetaEnv
from scoutrl.lowering import Lowered, Uncompiled
from scoutrl.trials.agent import Agent, Phase, encode_step
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.trial import Episodes, Protocol, Trial


@eqx.filter_jit
def begin_episode(agent: Agent, memory, phase: Phase, goal, observation, key):
    return agent.begin_episode(memory, phase, goal, key), agent.encode(observation)


@eqx.filter_jit
def act(agent: Agent, memory, features, key, greedy: bool):
    action, memory = agent.act(memory, features, key, greedy)
    return action, memory, agent.keep(memory, action)


@eqx.filter_jit
def observe(agent: Agent, memory, action, step):
    step = encode_step(agent, step)
    return agent.observe(memory, action, step), step.observation


class LoopSampler(Sampler):
    """Draws the same random numbers as `DeviceSampler`."""

    traced = False

    def __init__(self, env: MetaEnv):
        self._env, self._reset, self._step = env, eqx.filter_jit(env.reset), eqx.filter_jit(env.step)

    @property
    def spec(self) -> MetaEnv:
        return self._env

    def sample(self, make_agent, problems, keys, protocol: Protocol) -> Trial:
        trials = []
        for problem, key in zip(problems, keys, strict=True):
            agent_key, trial_key = jax.random.split(key)
            agent = eqx.filter_jit(make_agent)(problem, agent_key)
            trials.append(self._trial(agent, problem, trial_key, protocol))
        return stack(trials)

    def call(self, function: Callable, *arguments: Any) -> Any:
        return eqx.filter_jit(function)(*arguments)

    def lower(self, function: Callable, *arguments: Any) -> Lowered:
        return Uncompiled(function, None)

    def _trial(self, agent: Agent, problem, key, protocol: Protocol) -> Trial:
        begin_key, *keys = jax.random.split(key, 3)
        memory, phases, priority = eqx.filter_jit(agent.begin)(begin_key), [], jnp.float32(0)
        counts = protocol.exploration_episodes, protocol.exploitation_episodes
        for phase, count, phase_key in zip(Phase, counts, keys, strict=True):
            episodes = []
            for episode_key in jax.random.split(phase_key, count):
                memory, episode = self._episode(agent, memory, problem, episode_key, phase, protocol.greedy)
                episodes.append(episode)
            phases.append(stack(episodes))
            priority = priority if phases[1:] else jnp.float32(eqx.filter_jit(agent.priority)(memory))
        exploration, exploitation = phases
        return Trial(problem, exploration, exploitation, agent.informed, priority)

    def _episode(self, agent: Agent, memory, problem, key, phase: Phase, greedy: bool) -> tuple[Any, Episodes]:
        reset_key, begin_key, steps_key = jax.random.split(key, 3)
        state, observation = self._reset(problem, reset_key)
        goal = self._env.goal(state)
        shown = goal if phase == Phase.EXPLOITATION or agent.sees_goal_exploring else None
        memory, features = begin_episode(agent, memory, phase, shown, observation, begin_key)
        seen, steps = [observation], []
        for step_key in jax.random.split(steps_key, self._env.horizon):
            act_key, env_key = jax.random.split(step_key)
            action, memory, kept = act(agent, memory, features, act_key, greedy)
            state, answer = self._step(state, action, env_key)
            memory, features = observe(agent, memory, action, answer)
            seen.append(answer.observation)
            out_of_time = answer.truncated | (len(seen) - 1 == self._env.horizon)
            ended = self._env.ends_return(answer.terminated, out_of_time)
            steps.append((action, answer.reward, ended, np.bool_(True), kept))
            if answer.terminated or answer.truncated:
                break
        missing = self._env.horizon - len(steps)
        nothing = jax.tree.map(lambda x: np.zeros_like(x), steps[0])
        actions, rewards, ended, mask, kept = stack(steps + missing * [nothing])
        return memory, Episodes(stack(seen + missing * seen[-1:]), actions, rewards, ended, mask, goal, kept)


def stack(trees: list) -> Any:
    """As one tree, with a leading axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
