"""MetaCURE's agent: an exploration policy of its own, then posterior sampling as in PEARL."""

import dataclasses
from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.pearl.agent import PearlAgent, PearlMemory
from scoutrl.algorithms.policies import Explorer
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.learner import Noise, Share
from scoutrl.trials.agent import Agent, Features, Phase


@final
class MetaCureMemory(eqx.Module):
    """What the agent keeps within a trial."""

    phase: Phase = eqx.field(static=True)
    explorer: Array
    """The explorer's memory of the exploration episodes."""
    explorer_noise: Noise
    sampled: PearlMemory
    """The context, and the draw of this episode."""


@final
class MetaCureAgent(Agent):
    """Explore with π_e, then sample z ~ q_φ(z | context) and exploit with π_θ(·|·, z)."""

    explorer: Explorer
    sampler: PearlAgent
    explorer_random: Share = 0.0
    """The explorer acts at random at least this often, in training."""

    def begin(self, key: PRNGKeyArray) -> MetaCureMemory:
        """Nothing is known."""
        sampled = self.sampler.begin(key)
        noise = self.sampler.learner.bound(sampled.noise, self.explorer_random)
        assert self.explorer.history is not None
        return MetaCureMemory(Phase.EXPLORATION, self.explorer.history.initial(), noise, sampled)

    def begin_episode(self, memory: MetaCureMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> MetaCureMemory:
        """z ~ q_φ(z | context), which exploring makes no use of."""
        sampled = self.sampler.begin_episode(memory.sampled, phase, goal, key)
        return dataclasses.replace(memory, phase=phase, sampled=sampled)

    def encode(self, observation: Observation) -> Features:
        """Features."""
        return self.sampler.encode(observation)

    def act(
        self, memory: MetaCureMemory, features: Features, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, MetaCureMemory]:
        """Follow the policy of the phase."""
        if memory.phase == Phase.EXPLOITATION:
            action, sampled = self.sampler.act(memory.sampled, features, key, greedy)
            return action, dataclasses.replace(memory, sampled=sampled)
        sampled = self.sampler.look(memory.sampled, features)
        if not greedy:
            # Both, or the policy would repeat what the explorer did at random.
            advance = self.sampler.learner.advance
            memory = dataclasses.replace(memory, explorer_noise=advance(memory.explorer_noise))
            sampled = dataclasses.replace(sampled, noise=advance(sampled.noise))
        x = self.explorer.features(memory.explorer, sampled.observation)
        action = self.sampler.learner.act(self.explorer.head(x), memory.explorer_noise, key, greedy)
        return action, dataclasses.replace(memory, sampled=sampled)

    def priority(self, memory: MetaCureMemory) -> Float[Array, ""]:
        """How much exploring tells: KL(q_φ(z | c) ‖ p)."""
        return self.sampler.priority(memory.sampled)

    def observe(self, memory: MetaCureMemory, action: Action, step: Step) -> MetaCureMemory:
        """Add the transition to the context, and while exploring to the explorer's memory."""
        sampled = self.sampler.observe(memory.sampled, action, step)
        if memory.phase == Phase.EXPLOITATION:
            return dataclasses.replace(memory, sampled=sampled)
        done = self.sampler.networks.encode.action(jnp.asarray(action))
        reward = jnp.asarray(step.reward, jnp.float32)
        after = self.sampler.networks.encode.moment(step.observation, sampled.done)
        transition = TransitionFeatures(sampled.observation, done, reward, after)
        assert self.explorer.history is not None
        explorer = self.explorer.history.step(memory.explorer, transition)
        return dataclasses.replace(memory, sampled=sampled, explorer=explorer)
