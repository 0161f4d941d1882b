"""A small algorithm with tables, for families of discrete observations whose first exploration step tells all."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, AlgorithmState, Metrics
from scoutrl.envs import Problem, Spec, Step
from scoutrl.trials.agent import Agent, Phase
from scoutrl.trials.trial import Trial


class Tables(eqx.Module):
    exploring: Float[Array, " actions"]
    exploiting: Float[Array, "seen actions"]


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

    def act(self, memory: Seen, features: Array, key: PRNGKeyArray, greedy: bool) -> tuple[Array, Seen]:
        values = jnp.where(memory.exploring, self.tables.exploring, self.tables.exploiting[memory.observation])
        chance, choice = jax.random.split(key)
        random = jax.random.randint(choice, (), 0, len(values))
        blind = (not greedy) & jax.random.bernoulli(chance, self.epsilon)
        return jnp.where(blind, random, values.argmax()).astype(jnp.int32), memory

    def observe(self, memory: Seen, action: Array, step: Step) -> Seen:
        return Seen(jnp.where(memory.exploring, step.observation, memory.observation), memory.exploring)


class Tabular(Algorithm):
    """Averages of the return for each exploring action, and for each action after what was seen."""

    trials_per_iteration: int = 8
    updates_per_iteration: int = 1
    exploration_episodes: int = 1
    exploitation_episodes: int = 1
    learning_rate: float = 0.2
    epsilon: float = 0.3
    explode_after: int = 10**9
    """Updates after which the loss is infinite."""
    poison_after: int = 10**9
    """Updates after which a weight is not a number and no metric tells."""

    def init(self, spec: Spec, key: PRNGKeyArray) -> AlgorithmState:
        actions, seen = int(spec.spaces.action.n), int(spec.spaces.observation.n)  # type: ignore[attr-defined]
        tables = Tables(0.01 * jax.random.normal(key, (actions,)), jnp.zeros((seen, actions)))
        counters = {"updates": jnp.int32(0), "best": jnp.float32(-jnp.inf), "key": key}
        return AlgorithmState(networks=tables, counters=counters)

    def agent(self, spec: Spec, state: AlgorithmState) -> Agent:
        return TabularAgent(state.networks, self.epsilon)

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> Agent:
        return TabularAgent(state.networks, self.epsilon)

    def learn(
        self, spec: Spec, state: AlgorithmState, trials: Trial, key: PRNGKeyArray
    ) -> tuple[AlgorithmState, Metrics]:
        tables, updates = state.networks, state.counters["updates"]
        # A dense product, whose sums a compiler might order one way or another.
        looked = jax.nn.one_hot(trials.exploration.actions[:, 0, 0], len(tables.exploring))
        pulled = jax.nn.one_hot(trials.exploitation.actions[:, 0, 0], len(tables.exploring))
        seen = jax.nn.one_hot(trials.exploration.observations[:, 0, -1], len(tables.exploiting))
        returns = trials.exploitation.returns[:, 0]
        error = returns[:, None] - seen @ tables.exploiting
        exploiting = tables.exploiting + self.learning_rate * seen.T @ (error * pulled)
        gain = looked * (returns[:, None] - tables.exploring[None])
        noise_key, next_key = jax.random.split(state.counters["key"])
        noise = 1e-3 * jax.random.normal(noise_key, tables.exploring.shape)
        exploring = tables.exploring + self.learning_rate * gain.mean(axis=0) + noise
        exploring = jnp.where(updates >= self.poison_after, jnp.nan, exploring)
        loss = jnp.where(updates >= self.explode_after, jnp.inf, (error**2).mean())
        best = jnp.maximum(state.counters["best"], returns.max())
        counters = {"updates": updates + 1, "best": best, "key": next_key}
        metrics = {"loss": loss, "return": returns.mean()}
        return AlgorithmState(networks=Tables(exploring, exploiting), counters=counters), metrics
