"""DREAM's agent: explore, decode what was found, exploit it."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.algorithms.dream_nets import Actors
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.history import Transitions
from scoutrl.rl.q_learning import epsilon_greedy
from scoutrl.trials.agent import Agent, Phase


class Told(eqx.Module):
    """A draw of z ~ F_ψ(·|μ), whispered to some of the agents that collect training trials."""

    z: Float[Array, " z"]
    used: Bool[Array, ""]


class DreamMemory(eqx.Module):
    """What the agent keeps within a trial."""

    phase: Phase = eqx.field(static=True)
    belief: Array
    """The decoder's memory of the exploration episodes."""
    explored: Array
    """The explorer's memory of them."""
    lived: Array | None
    """The exploitation policy's memory of its episode."""
    z: Array
    """g_ω(τ), decoded when an exploitation episode begins."""
    goal: Array
    """The goal's features."""
    observation: Array
    """Features of the last observation acted on."""
    epsilon: Array
    """Share of random actions in this trial, when not greedy."""


class DreamAgent(Agent):
    """Explore with π_exp, decode z = g_ω(τ), exploit with π_task(·|·, z)."""

    actors: Actors
    epsilon: Float[Array, "2"]
    """Lowest and highest share of random actions; a trial's own is drawn between them, evenly in its logarithm."""
    explorer_epsilon: Float[Array, ""]
    """The explorer acts at random at least this often."""
    random_exploration: bool = eqx.field(static=True)
    """Ablation: explore uniformly at random, also when greedy."""
    see_rewards: bool = eqx.field(static=True)
    """Exploration trajectories include rewards."""
    told: Told | None = None
    """None in every agent that is evaluated or deployed."""

    def begin(self, key: PRNGKeyArray) -> DreamMemory:
        """Nothing is known: g of the empty trajectory."""
        low, high = jnp.log(self.epsilon)
        epsilon = jnp.exp(jax.random.uniform(key, minval=low, maxval=high))
        belief, policy = self.actors.decoder.history.initial(), self.actors.policy
        return DreamMemory(
            phase=Phase.EXPLORATION,
            belief=belief,
            explored=self.actors.explorer.history.initial(),
            lived=None if policy.history is None else policy.history.initial(),
            z=self.actors.decoder(belief),
            goal=jnp.zeros(0 if self.actors.instruct is None else self.actors.instruct.size),
            observation=jnp.zeros(self.actors.observe.size),
            epsilon=epsilon,
        )

    def begin_episode(self, memory: DreamMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> DreamMemory:
        """Before exploiting, decode z from everything explored."""
        del key
        z, lived, features = memory.z, memory.lived, memory.goal
        if phase == Phase.EXPLOITATION:
            z = self.actors.decoder(memory.belief)
            z = z if self.told is None else jnp.where(self.told.used, self.told.z, z)
            history = self.actors.policy.history
            lived = None if history is None else history.initial()
            features = self.actors.goal_features(goal, ())
        return DreamMemory(
            phase, memory.belief, memory.explored, lived, z, features, memory.observation, memory.epsilon
        )

    def act(
        self, memory: DreamMemory, observation: Observation, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, DreamMemory]:
        """ε-greedy on the action values of the phase's policy."""
        seen = self.actors.observe(jnp.asarray(observation))
        memory = eqx.tree_at(lambda m: m.observation, memory, seen)
        epsilon = jnp.where(greedy, 0.0, memory.epsilon)
        if memory.phase == Phase.EXPLOITATION:
            q = self.actors.policy(memory.lived, seen, memory.goal, memory.z)
        else:
            q = self.actors.explorer(memory.explored, seen)
            floor = 0.0 if greedy else self.explorer_epsilon
            epsilon = jnp.float32(1.0) if self.random_exploration else jnp.maximum(epsilon, floor)
        return epsilon_greedy(q, epsilon, key), memory

    def observe(self, memory: DreamMemory, action: Action, step: Step) -> DreamMemory:
        """Remember the transition: of the trial when exploring, of the episode when exploiting."""
        after = self.actors.observe(jnp.asarray(step.observation))
        reward = jnp.asarray(step.reward, jnp.float32)
        if memory.phase == Phase.EXPLORATION and not self.see_rewards:
            reward = jnp.zeros_like(reward)
        transition = Transitions(
            memory.observation, jax.nn.one_hot(action, self.actors.explorer.actions), reward, after
        )
        if memory.phase == Phase.EXPLORATION:
            belief = self.actors.decoder.history.step(memory.belief, transition)
            explored = self.actors.explorer.history.step(memory.explored, transition)
            return eqx.tree_at(lambda m: (m.belief, m.explored), memory, (belief, explored))
        if self.actors.policy.history is None or memory.lived is None:
            return memory
        lived = self.actors.policy.history.step(memory.lived, transition)
        return eqx.tree_at(lambda m: m.lived, memory, lived)
