"""DREAM's agent: explore, decode what was found, exploit it."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from scoutrl.algorithms.dream.networks import Actors
from scoutrl.envs import Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.q_learning import epsilon_greedy
from scoutrl.trials.agent import Agent, Phase, Sight


class Told(eqx.Module):
    """A draw of z ~ F_ψ(·|μ), whispered to some of the agents that collect training trials."""

    z: Float[Array, " z"]
    used: Bool[Array, ""]


class Guesses(eqx.Module):
    """Problems and goals drawn at random, for the noise of an explorer in training.

    Independent random actions hardly ever do anything twice over. From a random step of its episode on, an explorer
    that guesses acts as the policy would if a problem and a goal drawn at random were true: noise that gets somewhere.
    """

    z: Float[Array, "guesses z"]
    """f_ψ of problems drawn at random, independently of the trial's own."""
    goals: Float[Array, "guesses goal"]
    """Features of goals drawn at random."""
    share: float = eqx.field(static=True)
    """Share of trials that guess."""
    latest: int = eqx.field(static=True)
    """Guessing starts at a step before this one."""

    def start(self, key: PRNGKeyArray) -> Int[Array, ""]:
        """Steps until guessing starts; far beyond any horizon in trials that never do."""
        guesses, step = jax.random.split(key)
        never = jnp.iinfo(jnp.int32).max
        begin = jax.random.randint(step, (), 0, self.latest)
        return jnp.where(jax.random.bernoulli(guesses, self.share), begin, never)

    def another(self, guess: Int[Array, ""], key: PRNGKeyArray) -> Int[Array, ""]:
        """The same guess, or now and then another."""
        change, draw = jax.random.split(key)
        other = jax.random.randint(draw, (), 0, len(self.z))
        return jnp.where(jax.random.bernoulli(change, CHANGE_OF_MIND), other, guess)


CHANGE_OF_MIND = 0.15
"""Chance per step that a guessing explorer turns to another guess."""
GUESSING_EPSILON = 0.15
"""Share of random actions while guessing."""


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
    guess: Array
    """Which of the guesses is acted on, in training."""
    patience: Array
    """Exploration steps until guessing starts, in training."""


class DreamAgent(Agent):
    """Explore with π_exp, decode z = g_ω(τ), exploit with π_task(·|·, z)."""

    actors: Actors
    epsilon: Float[Array, "2"]
    """Lowest and highest share of random actions; a trial's own is drawn between them, evenly in its logarithm."""
    explorer_epsilon: Float[Array, ""]
    """The explorer acts at random at least this often."""
    policy_epsilon: Float[Array, ""]
    """And the policy."""
    random_exploration: bool = eqx.field(static=True)
    """Ablation: explore uniformly at random, also when greedy."""
    see_rewards: bool = eqx.field(static=True)
    """Exploration trajectories include rewards."""
    random_actions: tuple[float, ...] = eqx.field(static=True, default=())
    """How likely each action is when acting at random; all alike without weights."""
    told: Told | None = None
    """None in every agent that is evaluated or deployed."""
    guesses: Guesses | None = None
    """None in every agent that is evaluated or deployed."""

    def begin(self, key: PRNGKeyArray) -> DreamMemory:
        """Nothing is known: g of the empty trajectory."""
        noise, start = jax.random.split(key)
        low, high = jnp.log(self.epsilon)
        belief = self.actors.decoder.history.initial()
        return DreamMemory(
            phase=Phase.EXPLORATION,
            belief=belief,
            explored=self.actors.explorer.history.initial(),
            lived=self._nothing_lived(),
            z=self.actors.decoder(belief),
            goal=jnp.zeros(0 if self.actors.instruct is None else self.actors.instruct.size),
            observation=jnp.zeros(self.actors.observe.size),
            epsilon=jnp.exp(jax.random.uniform(noise, minval=low, maxval=high)),
            guess=jnp.int32(0),
            patience=jnp.int32(0) if self.guesses is None else self.guesses.start(start),
        )

    def begin_episode(self, memory: DreamMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> DreamMemory:
        """Before exploiting, decode z from everything explored."""
        del key
        z, features = memory.z, memory.goal
        if phase == Phase.EXPLOITATION:
            z = self.actors.decoder(memory.belief)
            z = z if self.told is None else jnp.where(self.told.used, self.told.z, z)
            features = self.actors.goal_features(goal, ())
        return dataclasses.replace(memory, phase=phase, lived=self._nothing_lived(), z=z, goal=features)

    def look(self, observation: Observation) -> Sight:
        """Features."""
        return self.actors.observe(jnp.asarray(observation))

    def act(self, memory: DreamMemory, sight: Sight, key: PRNGKeyArray, greedy: bool) -> tuple[Action, DreamMemory]:
        """ε-greedy on the action values of the phase's policy."""
        memory = dataclasses.replace(memory, observation=sight)
        if memory.phase == Phase.EXPLOITATION:
            q = self.actors.policy(memory.lived, sight, memory.goal, memory.z)
            epsilon = jnp.maximum(memory.epsilon, self.policy_epsilon)
            return self._noisy(q, jnp.where(greedy, 0.0, epsilon), key), memory
        q = self.actors.explorer(memory.explored, sight)
        if self.random_exploration:
            return epsilon_greedy(q, jnp.float32(1.0), key), memory
        if greedy:
            return q.argmax(), memory
        guess_key, key = jax.random.split(key)
        q, epsilon, memory = self._guess(memory, q, guess_key)
        return self._noisy(q, jnp.maximum(epsilon, self.explorer_epsilon), key), memory

    def _noisy(self, q: Array, epsilon: Array, key: PRNGKeyArray) -> Action:
        return epsilon_greedy(q, epsilon, key, self.random_actions)

    def _guess(self, memory: DreamMemory, q: Array, key: PRNGKeyArray) -> tuple[Array, Array, DreamMemory]:
        """Action values and noise of an explorer in training, which may be acting on a guess."""
        if self.guesses is None:
            return q, memory.epsilon, memory
        guess, now = self.guesses.another(memory.guess, key), memory.patience <= 0
        one_hot = jax.nn.one_hot(guess, len(self.guesses.z))
        guessed = self.actors.policy(
            memory.lived, memory.observation, one_hot @ self.guesses.goals, one_hot @ self.guesses.z
        )
        memory = dataclasses.replace(memory, guess=guess, patience=jnp.maximum(memory.patience - 1, 0))
        return jnp.where(now, guessed, q), jnp.where(now, GUESSING_EPSILON, memory.epsilon), memory

    def _nothing_lived(self) -> Array | None:
        history = self.actors.policy.history
        return None if history is None else history.initial()

    def observe(self, memory: DreamMemory, action: Action, step: Step) -> DreamMemory:
        """Remember the transition: of the trial when exploring, of the episode when exploiting."""
        reward = jnp.asarray(step.reward, jnp.float32)
        if memory.phase == Phase.EXPLORATION and not self.see_rewards:
            reward = jnp.zeros_like(reward)
        transition = TransitionFeatures(
            memory.observation, jax.nn.one_hot(action, self.actors.explorer.actions), reward, step.observation
        )
        lived = memory.lived
        # An explorer that guesses needs the policy's memory as well.
        if lived is not None and (memory.phase == Phase.EXPLOITATION or self.guesses is not None):
            history = self.actors.policy.history
            lived = lived if history is None else history.step(lived, transition)
        if memory.phase == Phase.EXPLOITATION:
            return dataclasses.replace(memory, lived=lived)
        belief = self.actors.decoder.history.step(memory.belief, transition)
        explored = self.actors.explorer.history.step(memory.explored, transition)
        return dataclasses.replace(memory, belief=belief, explored=explored, lived=lived)
