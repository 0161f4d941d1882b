"""A small algorithm with tables, for families of discrete observations whose first exploration step tells all."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, Metrics
from scoutrl.envs import MetaEnv, Problem, Step
from scoutrl.trials.agent import Agent, Phase
from scoutrl.trials.trial import Trial


class Tables(eqx.Module):
    exploring: Float[Array, " actions"]
    exploiting: Float[Array, "seen actions"]
    best: Float[Array, ""]
    key: PRNGKeyArray
    updates: Int[Array, ""]


class Seen(eqx.Module):
    observation: Int[Array, ""]
    exploring: Array


class TabularAgent(Agent):
    tables: Tables
    epsilon: float

    def begin(self, key: PRNGKeyArray) -> Seen:
        return Seen(jnp.int32(0), jnp.bool_(True))

    def begin_episode(self, memory: Seen, phase: Phase, goal: None, key: PRNGKeyArray) -> Seen:
        return Seen(memory.observation, jnp.bool_(phase == Phase.EXPLORATION))

    def act(self, memory: Seen, sight: Array, key: PRNGKeyArray, greedy: bool) -> tuple[Array, Seen]:
        values = jnp.where(memory.exploring, self.tables.exploring, self.tables.exploiting[memory.observation])
        chance, choice = jax.random.split(key)
        random = jax.random.randint(choice, (), 0, len(values))
        blind = (not greedy) & jax.random.bernoulli(chance, self.epsilon)
        return jnp.where(blind, random, values.argmax()).astype(jnp.int32), memory

    def observe(self, memory: Seen, action: Array, step: Step) -> Seen:
        return Seen(jnp.where(memory.exploring, step.observation, memory.observation), memory.exploring)


class Tabular(Algorithm):
    """Averages of the return for each exploring action, and for each action after what was seen."""

    trials: int = 8
    updates: int = 1
    explorations: int = 1
    exploitations: int = 1
    learning_rate: float = 0.2
    epsilon: float = 0.3
    explode_after: int = 10**9
    """Updates after which the loss is infinite."""
    poison_after: int = 10**9
    """Updates after which a weight is not a number and no metric tells."""

    def init(self, env: MetaEnv, key: PRNGKeyArray) -> Tables:
        actions, seen = int(env.spaces.action.n), int(env.spaces.observation.n)  # type: ignore[attr-defined]
        start = 0.01 * jax.random.normal(key, (actions,))
        return Tables(start, jnp.zeros((seen, actions)), jnp.float32(-jnp.inf), key, jnp.int32(0))

    def agent(self, env: MetaEnv, state: Tables) -> Agent:
        return TabularAgent(state, self.epsilon)

    def collector(self, env: MetaEnv, state: Tables, problem: Problem, key: PRNGKeyArray) -> Agent:
        return TabularAgent(state, self.epsilon)

    def learn(self, env: MetaEnv, state: Tables, trials: Trial, key: PRNGKeyArray) -> tuple[Tables, Metrics]:
        # A dense product, whose sums a compiler might order one way or another.
        looked = jax.nn.one_hot(trials.exploration.actions[:, 0, 0], len(state.exploring))
        pulled = jax.nn.one_hot(trials.exploitation.actions[:, 0, 0], len(state.exploring))
        seen = jax.nn.one_hot(trials.exploration.observations[:, 0, -1], len(state.exploiting))
        returns = trials.exploitation.returns[:, 0]
        error = returns[:, None] - seen @ state.exploiting
        exploiting = state.exploiting + self.learning_rate * seen.T @ (error * pulled)
        gain = looked * (returns[:, None] - state.exploring)
        noise_key, next_key = jax.random.split(state.key)
        noise = 1e-3 * jax.random.normal(noise_key, state.exploring.shape)
        exploring = state.exploring + self.learning_rate * gain.mean(axis=0) + noise
        exploring = jnp.where(state.updates >= self.poison_after, jnp.nan, exploring)
        loss = jnp.where(state.updates >= self.explode_after, jnp.inf, (error**2).mean())
        best = jnp.maximum(state.best, returns.max())
        return Tables(exploring, exploiting, best, next_key, state.updates + 1), {
            "loss": loss,
            "return": returns.mean(),
        }
