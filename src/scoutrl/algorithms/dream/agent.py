"""DREAM's agent: explore, decode the trajectory, exploit it."""

import dataclasses
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from gymnasium import Space
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.algorithms.dream.hypotheses import RANDOM, HypotheticalTasks
from scoutrl.algorithms.dream.networks import Actors
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.actions import random_action
from scoutrl.rl.learner import Noise, PolicyLearner
from scoutrl.trials.agent import Agent, Features, Phase


@final
class PrivilegedTask(eqx.Module):
    """A draw of z ~ F_ψ(·|μ), given to some of the agents that collect training trials."""

    z: Float[Array, " z"]
    used: Bool[Array, ""]


@final
class Training(eqx.Module):
    """All that makes an agent that collects training trials differ from one that is evaluated."""

    task: PrivilegedTask
    """The task, which some agents are told."""
    hypotheses: HypotheticalTasks | None = None
    """Noise for the explorer."""
    explorer_random: Float[Array, ""] | float = 0.0
    """The explorer acts at random at least this often."""
    policy_random: Float[Array, ""] | float = 0.0
    """And the exploitation policy."""
    endless: Float[Array, ""] | float = 0.5
    """Share of trials in which exploration is never ended: what lies beyond has to be seen."""


@final
class DreamMemory(eqx.Module):
    """What the agent keeps within a trial."""

    phase: Phase = eqx.field(static=True)
    decoder: Array
    """The decoder's memory of the exploration episodes."""
    explorer: Array | None
    """The explorer's memory of them; None where it reads the decoder's."""
    policy: Array | None
    """The exploitation policy's memory of its episode."""
    z: Array
    """g_ω(τ), decoded when an exploitation episode begins."""
    goal: Array
    """The goal's features."""
    done: Array
    """Steps taken in the episode."""
    observation: Array
    """What was seen when it last acted."""
    explorer_noise: Noise
    policy_noise: Noise
    hypothesis_noise: Noise
    hypothesis: Array
    """Which of the hypotheses is acted on, in training."""
    steps_until_hypothesis: Array
    """Exploration steps until the first one, in training."""
    goes_on: Array
    """Exploration is never ended in this trial."""
    ends: Array
    """Going on is worth less than nothing, by what was seen when it last acted."""


@final
class DreamAgent(Agent):
    """Explore with π_exp, decode z = g_ω(τ), exploit with π_task(·|·, z)."""

    actors: Actors
    learner: PolicyLearner
    action_space: Space = eqx.field(static=True)
    random_exploration: bool = eqx.field(static=True)
    """Ablation: explore uniformly at random, also when greedy."""
    see_rewards: bool = eqx.field(static=True)
    """Exploration trajectories include rewards."""
    may_end: Bool[Array, ""] | None = None
    """Whether it ends exploration episodes that are not worth going on with; None: it never does."""
    training: Training | None = None
    """None in every agent that is evaluated or deployed."""

    @property
    def informed(self) -> Bool[Array, ""]:
        """Whether the exploitation policy is told z."""
        return jnp.bool_(False) if self.training is None else self.training.task.used

    def begin(self, key: PRNGKeyArray) -> DreamMemory:
        """Nothing is known: g of the empty trajectory."""
        noise_key, start = jax.random.split(key)
        actors, learner, training = self.actors, self.learner, self.training
        noise = learner.noise(noise_key, actors.policy.head)
        hypotheses = training.hypotheses if training else None
        explorer_random = training.explorer_random if training else 0.0
        hypothesis_random = jnp.maximum(RANDOM, explorer_random)
        decoder = actors.decoder.history.initial()
        return DreamMemory(
            phase=Phase.EXPLORATION,
            decoder=decoder,
            explorer=None if actors.explorer.history is None else actors.explorer.history.initial(),
            policy=actors.policy.initial(),
            z=actors.decoder(decoder),
            goal=actors.encode.no_goal(),
            done=jnp.int32(0),
            observation=jnp.zeros(actors.encode.seen),
            explorer_noise=learner.bound(noise, explorer_random),
            policy_noise=learner.bound(noise, training.policy_random if training else 0.0),
            hypothesis_noise=learner.bound(noise, hypothesis_random, hypothesis_random),
            hypothesis=jnp.int32(0),
            steps_until_hypothesis=jnp.int32(0) if hypotheses is None else hypotheses.steps_until(start),
            goes_on=self._goes_on(start),
            ends=jnp.bool_(False),
        )

    def begin_episode(self, memory: DreamMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> DreamMemory:
        """Before exploiting, decode z from everything explored."""
        del key
        z = memory.z
        if phase == Phase.EXPLOITATION:
            z = self.actors.decoder(memory.decoder)
            z = z if self.training is None else jnp.where(self.training.task.used, self.training.task.z, z)
        begun = dataclasses.replace(memory, phase=phase, z=z, goal=self.actors.encode.goals(goal))
        policy = self.actors.policy.initial()
        return dataclasses.replace(begun, done=jnp.int32(0), policy=policy, ends=jnp.bool_(False))

    def encode(self, observation: Observation) -> Features:
        """Features."""
        return self.actors.encode.observation(jnp.asarray(observation))

    def act(
        self, memory: DreamMemory, features: Features, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, DreamMemory]:
        """Follow the policy of the phase."""
        seen = self.actors.encode.moment(features, memory.done)
        memory = dataclasses.replace(memory, observation=seen)
        memory = memory if greedy else self._advance(memory)
        if memory.phase == Phase.EXPLORATION:
            return self._explore(memory, key, greedy)
        policy = self.actors.policy
        x = policy.features(memory.policy, seen, memory.goal, memory.z)
        return self.learner.act(policy.head(x), memory.policy_noise, key, greedy), memory

    def ends(self, memory: DreamMemory) -> Bool[Array, ""] | bool:
        """Where nothing is left to be found out that is worth its cost."""
        return False if self.may_end is None else memory.ends & ~memory.goes_on

    def priority(self, memory: DreamMemory) -> Float[Array, ""]:
        """‖g(τ) - g(∅)‖²: how far exploring has moved the belief."""
        return ((self.actors.decoder(memory.decoder) - memory.z) ** 2).sum()

    def observe(self, memory: DreamMemory, action: Action, step: Step) -> DreamMemory:
        """Remember the transition: of the trial when exploring, of the episode when exploiting."""
        exploring, actors = memory.phase == Phase.EXPLORATION, self.actors
        reward = jnp.asarray(step.reward, jnp.float32)
        reward = reward if self.see_rewards or not exploring else jnp.zeros_like(reward)
        done = actors.encode.action(jnp.asarray(action))
        after = actors.encode.moment(step.observation, memory.done + 1)
        transition = TransitionFeatures(memory.observation, done, reward, after)
        memory = dataclasses.replace(memory, done=memory.done + 1)
        # An explorer that acts on hypotheses needs the policy's memory as well.
        if not exploring or (self.training and self.training.hypotheses):
            memory = dataclasses.replace(memory, policy=actors.policy.remember(memory.policy, transition))
        if not exploring:
            return memory
        decoder = actors.decoder.history.step(memory.decoder, transition)
        memory = dataclasses.replace(memory, decoder=decoder)
        if actors.explorer.history is None or memory.explorer is None:
            return memory
        return dataclasses.replace(memory, explorer=actors.explorer.history.step(memory.explorer, transition))

    def _goes_on(self, key: PRNGKeyArray) -> Bool[Array, ""]:
        """Some of the training trials never end exploration."""
        if self.may_end is None or self.training is None:
            return jnp.bool_(False)
        return jax.random.bernoulli(jax.random.fold_in(key, 2), self.training.endless)

    def _advance(self, memory: DreamMemory) -> DreamMemory:
        """The noise of the next step."""
        own = memory.explorer_noise, memory.policy_noise, memory.hypothesis_noise
        explorer, policy, hypothesis = map(self.learner.advance, own)
        return dataclasses.replace(memory, explorer_noise=explorer, policy_noise=policy, hypothesis_noise=hypothesis)

    def _explore(self, memory: DreamMemory, key: PRNGKeyArray, greedy: bool) -> tuple[Action, DreamMemory]:
        explorer, learner = self.actors.explorer, self.learner
        if self.random_exploration:
            return random_action(self.action_space, key), memory
        remembered = memory.decoder if memory.explorer is None else memory.explorer
        outputs, noise = explorer.head(explorer.features(remembered, memory.observation)), memory.explorer_noise
        if self.may_end is not None:
            memory = dataclasses.replace(memory, ends=self.may_end & (learner.worth(outputs) < 0))
        if greedy or self.training is None or self.training.hypotheses is None:
            return learner.act(outputs, noise, key, greedy), memory
        switch_key, key = jax.random.split(key)
        hypothesis = self.training.hypotheses.switch(memory.hypothesis, switch_key)
        goal, z = self.training.hypotheses.task(hypothesis)
        policy, now = self.actors.policy, memory.steps_until_hypothesis <= 0
        as_if = policy.head(policy.features(memory.policy, memory.observation, goal, z))
        outputs, noise = jax.tree.map(
            lambda a, b: jnp.where(now, a, b), (as_if, memory.hypothesis_noise), (outputs, noise)
        )
        memory = dataclasses.replace(
            memory, hypothesis=hypothesis, steps_until_hypothesis=jnp.maximum(memory.steps_until_hypothesis - 1, 0)
        )
        return learner.act(outputs, noise, key, greedy), memory
