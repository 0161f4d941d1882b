"""PEARL's agent: the eight lines of posterior sampling."""

import dataclasses
from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.pearl.networks import PearlNetworks
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.gaussian import Factor
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.learner import Noise, PolicyLearner, Share
from scoutrl.trials.agent import Agent, Features, Phase


@final
class PearlMemory(eqx.Module):
    """What the agent keeps within a trial."""

    experiences: Factor
    """What all transitions so far say of z: their order is no matter, so their product is all there is to keep."""
    z: Array
    """The draw of this episode."""
    goal: Array
    """The goal's features; zeros while it is hidden."""
    done: Array
    """Steps taken in the episode."""
    observation: Array
    """What was seen when it last acted."""
    noise: Noise


@final
class PearlAgent(Agent):
    """Posterior sampling: exploring or exploiting, play the problem that was drawn.

    The numbers are the lines of the algorithm. Lines 1 and 2 (draw a problem, make its environment) and 7 (step it) are
    the sampler's.
    """

    networks: PearlNetworks
    learner: PolicyLearner
    random: Share = 0.0
    """Actions are random at least this often, in training."""
    goal_while_exploring: bool = eqx.field(static=True, default=False)
    """Goals of exploration episodes are seen as well."""

    @property
    def sees_goal_exploring(self) -> bool:
        """As asked for."""
        return self.goal_while_exploring

    def begin(self, key: PRNGKeyArray) -> PearlMemory:
        """Line 3: experiences = set()."""
        encode, inference = self.networks.encode, self.networks.inference
        return PearlMemory(
            experiences=inference.nothing(),
            z=jnp.zeros(inference.size),
            goal=encode.no_goal(),
            done=jnp.int32(0),
            observation=jnp.zeros(encode.seen),
            noise=self.learner.bound(self.learner.noise(key, self.networks.policy.head), self.random),
        )

    def begin_episode(self, memory: PearlMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> PearlMemory:
        """Lines 4 and 5: for every episode, z ~ q_φ(z | experiences)."""
        z = memory.experiences.belief().draw(key)
        return dataclasses.replace(memory, z=z, goal=self.networks.encode.goals(goal), done=jnp.int32(0))

    def encode(self, observation: Observation) -> Features:
        """Features."""
        return self.networks.encode.observation(jnp.asarray(observation))

    def act(
        self, memory: PearlMemory, features: Features, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, PearlMemory]:
        """Line 6: a ~ π_θ(a | s, g, z)."""
        memory, policy = self.look(memory, features), self.networks.policy
        memory = memory if greedy else dataclasses.replace(memory, noise=self.learner.advance(memory.noise))
        x = policy.features(None, memory.observation, memory.goal, memory.z)
        return self.learner.act(policy.head(x), memory.noise, key, greedy), memory

    def priority(self, memory: PearlMemory) -> Float[Array, ""]:
        """How much exploring tells: KL(q_φ(z | τ) ‖ p)."""
        return memory.experiences.belief().kl()

    def observe(self, memory: PearlMemory, action: Action, step: Step) -> PearlMemory:
        """Line 8: experiences.add((s, a, r, s'))."""
        reward, done = jnp.asarray(step.reward, jnp.float32), self.networks.encode.action(jnp.asarray(action))
        after = self.networks.encode.moment(step.observation, memory.done + 1)
        factor = self.networks.inference(TransitionFeatures(memory.observation, done, reward, after))
        return dataclasses.replace(memory, experiences=memory.experiences * factor, done=memory.done + 1)

    def look(self, memory: PearlMemory, features: Features) -> PearlMemory:
        """Remember what is seen, whoever acts on it."""
        return dataclasses.replace(memory, observation=self.networks.encode.moment(features, memory.done))
