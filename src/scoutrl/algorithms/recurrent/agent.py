"""The agent with one policy for the whole trial: it remembers, believes, acts."""

import dataclasses
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.algorithms.recurrent.networks import Actor
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.learner import Kept, Noise, Outputs, PolicyLearner
from scoutrl.trials.agent import Agent, Features, Phase


@final
class PrivilegedBelief(eqx.Module):
    """A belief in place of the agent's own, given to some of the agents that collect training trials."""

    belief: Float[Array, " belief"]
    used: Bool[Array, ""]


@final
class RecurrentMemory(eqx.Module):
    """What the agent keeps within a trial."""

    exploiting: Array
    """Whether the episode is one of exploitation."""
    hidden: Array
    """The recurrent memory: it lasts until the trial ends."""
    goal: Array
    """The goal's features; zeros while exploring."""
    done: Array
    """Steps taken in the episode."""
    inputs: Array
    """What the policy saw when it last acted."""
    exploration_noise: Noise
    exploitation_noise: Noise


@final
class RecurrentAgent(Agent):
    """Act with π(a | belief(h), s, g, phase), h recurrent over everything that happened in the trial."""

    actor: Actor
    learner: PolicyLearner
    see_rewards: bool = eqx.field(static=True)
    """Rewards of exploration are remembered."""
    explorer_random: Float[Array, ""] | float = 0.0
    """While exploring in training, actions are random at least this often."""
    privileged: PrivilegedBelief | None = None
    """None in every agent that is evaluated or deployed."""

    @property
    def informed(self) -> Bool[Array, ""]:
        """Whether the agent's own belief is replaced."""
        return jnp.bool_(False) if self.privileged is None else self.privileged.used

    @property
    def sees_goal_exploring(self) -> bool:
        """As the networks were made."""
        return self.actor.goal_while_exploring

    def begin(self, key: PRNGKeyArray) -> RecurrentMemory:
        """Nothing is known."""
        exploring, exploiting = jax.random.split(key)
        no, actor = jnp.bool_(False), self.actor
        goal = actor.encode.no_goal()
        return RecurrentMemory(
            exploiting=no,
            hidden=actor.history.initial(),
            goal=goal,
            done=jnp.int32(0),
            inputs=actor.inputs(jnp.zeros(actor.encode.seen), goal, no, no),
            exploration_noise=self.learner.bound(self.learner.noise(exploring, actor.head), self.explorer_random),
            exploitation_noise=self.learner.noise(exploiting, actor.head),
        )

    def begin_episode(self, memory: RecurrentMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> RecurrentMemory:
        """Look at the goal; nothing is forgotten."""
        del key
        exploiting = jnp.bool_(phase == Phase.EXPLOITATION)
        features = self.actor.goals(goal, exploiting)
        return dataclasses.replace(memory, exploiting=exploiting, done=jnp.int32(0), goal=features)

    def encode(self, observation: Observation) -> Features:
        """Features."""
        return self.actor.encode.observation(jnp.asarray(observation))

    def act(
        self, memory: RecurrentMemory, features: Features, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, RecurrentMemory]:
        """Follow the policy, given the belief and all there is to see."""
        seen = self.actor.encode.moment(features, memory.done)
        inputs = self.actor.inputs(seen, memory.goal, memory.exploiting, memory.done == 0)
        memory = dataclasses.replace(memory, inputs=inputs)
        memory = memory if greedy else self._advance(memory)
        noise = jax.tree.map(
            lambda a, b: jnp.where(memory.exploiting, a, b), memory.exploitation_noise, memory.exploration_noise
        )
        return self.learner.act(self._outputs(memory), noise, key, greedy), memory

    def _advance(self, memory: RecurrentMemory) -> RecurrentMemory:
        """The noise of the next step."""
        exploring, exploiting = map(self.learner.advance, (memory.exploration_noise, memory.exploitation_noise))
        return dataclasses.replace(memory, exploration_noise=exploring, exploitation_noise=exploiting)

    def keep(self, memory: RecurrentMemory, action: Action) -> Kept:
        """What the learner wants to know."""
        return self.learner.keep(self._outputs(memory), action)

    def observe(self, memory: RecurrentMemory, action: Action, step: Step) -> RecurrentMemory:
        """Remember the transition."""
        actor, done = self.actor, memory.done + 1
        seen = actor.encode.moment(step.observation, done)
        after = actor.inputs(seen, memory.goal, memory.exploiting, jnp.bool_(False))
        reward = jnp.asarray(step.reward, jnp.float32)
        reward = reward if self.see_rewards else reward * memory.exploiting
        transition = TransitionFeatures(memory.inputs, actor.encode.action(jnp.asarray(action)), reward, after)
        return dataclasses.replace(memory, hidden=actor.history.step(memory.hidden, transition), done=done)

    def _outputs(self, memory: RecurrentMemory) -> Outputs:
        """The policy's outputs, given the memory and what the policy saw when it last acted."""
        belief = self.actor.belief(memory.hidden)
        if self.privileged is not None:
            belief = jnp.where(self.privileged.used, self.privileged.belief, belief)
        return self.actor.head(self.actor.features(belief, memory.inputs))
