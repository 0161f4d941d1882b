"""The agent with one policy for the whole trial: it remembers, believes, acts."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.algorithms.recurrent.networks import Actor
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.trials.agent import Agent, Phase, Sight


class Told(eqx.Module):
    """A belief that stands in for the agent's own, whispered to some of the agents that collect training trials."""

    belief: Float[Array, " belief"]
    used: Bool[Array, ""]


class RecurrentMemory(eqx.Module):
    """What the agent keeps within a trial."""

    exploiting: Array
    """Whether the episode is one of exploitation."""
    starts: Array
    """Whether nothing was done in the episode yet."""
    hidden: Array
    """The recurrent memory: it lasts until the trial ends."""
    goal: Array
    """The goal's features; zeros while exploring."""
    sight: Array
    """What was seen when last acting."""
    epsilon: Array
    """Share of random actions in this trial while exploring and while exploiting, when not greedy."""


class RecurrentAgent(Agent):
    """Act with π(a | belief(h), s, g, phase), h recurrent over everything that happened in the trial."""

    actor: Actor
    epsilon: Float[Array, "2"]
    """Lowest and highest share of random actions; a trial's own are drawn between them, evenly in their logarithm."""
    explorer_epsilon: Float[Array, ""]
    """While exploring, actions are random at least this often."""
    see_rewards: bool = eqx.field(static=True)
    """Rewards of exploration are remembered."""
    told: Told | None = None
    """None in every agent that is evaluated or deployed."""

    @property
    def informed(self) -> Bool[Array, ""] | None:
        """Whether the belief is whispered."""
        return None if self.told is None else self.told.used

    def begin(self, key: PRNGKeyArray) -> RecurrentMemory:
        """Nothing is known."""
        low, high = jnp.log(self.epsilon)
        exploring, exploiting = jnp.exp(jax.random.uniform(key, (2,), minval=low, maxval=high))
        goal = jnp.zeros(self.actor.goal_size)
        return RecurrentMemory(
            exploiting=jnp.bool_(False),
            starts=jnp.bool_(True),
            hidden=self.actor.history.initial(),
            goal=goal,
            sight=self.actor.sight(jnp.zeros(self.actor.observe.size), goal, jnp.bool_(False), jnp.bool_(True)),
            epsilon=jnp.stack([jnp.maximum(exploring, self.explorer_epsilon), exploiting]),
        )

    def begin_episode(self, memory: RecurrentMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> RecurrentMemory:
        """Look at the goal; nothing is forgotten."""
        del key
        exploiting = jnp.bool_(phase == Phase.EXPLOITATION)
        features = self.actor.goal_features(goal, exploiting)
        return dataclasses.replace(memory, exploiting=exploiting, starts=jnp.bool_(True), goal=features)

    def look(self, observation: Observation) -> Sight:
        """Features."""
        return self.actor.observe(jnp.asarray(observation))

    def act(
        self, memory: RecurrentMemory, sight: Sight, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, RecurrentMemory]:
        """What the policy makes of belief and sight."""
        sight = self.actor.sight(sight, memory.goal, memory.exploiting, memory.starts)
        belief = self.actor.belief(memory.hidden)
        if self.told is not None:
            belief = jnp.where(self.told.used, self.told.belief, belief)
        epsilon = jnp.where(memory.exploiting, memory.epsilon[1], memory.epsilon[0])
        action = self.actor.head.choose(self.actor.think(belief, sight), epsilon, key, greedy)
        return action, dataclasses.replace(memory, sight=sight)

    def observe(self, memory: RecurrentMemory, action: Action, step: Step) -> RecurrentMemory:
        """Remember the transition."""
        started = jnp.bool_(False)
        after = self.actor.sight(step.observation, memory.goal, memory.exploiting, started)
        reward = jnp.asarray(step.reward, jnp.float32)
        reward = reward if self.see_rewards else reward * memory.exploiting
        transition = TransitionFeatures(memory.sight, self.actor.do(jnp.asarray(action)), reward, after)
        hidden = self.actor.history.step(memory.hidden, transition)
        return dataclasses.replace(memory, hidden=hidden, starts=started)
