"""An algorithm that learns nothing, and whose agents tell after how many iterations of learning they were made."""

from typing import final

import jax.numpy as jnp

from scoutrl.algorithms.base import Algorithm, AlgorithmState
from scoutrl.trials.agent import Agent


class Counting(Agent):
    learnt: jnp.ndarray

    def begin(self, key):
        return self.learnt

    def begin_episode(self, memory, phase, goal, key):
        return memory

    def act(self, memory, features, key, greedy):
        return jnp.int32(0), memory

    def keep(self, memory, action):
        return memory

    def observe(self, memory, action, step):
        return memory


@final
class Numbered(Algorithm):
    trials_per_iteration: int = 4
    updates_per_iteration: int = 1
    exploration_episodes: int = 1
    exploitation_episodes: int = 1
    needs_replay: bool = False
    """Collectors look at the replay."""

    def init(self, spec, key):
        return AlgorithmState(networks=jnp.int32(0))

    def replay(self, spec):
        return jnp.zeros(3)

    def agent(self, spec, state):
        return Counting(state.networks)

    def collector(self, spec, state, problem, key):
        offset = state.replay.sum().astype(jnp.int32) if self.needs_replay else 0
        return Counting(state.networks + offset)

    def learn(self, spec, state, trials, key):
        """`lag`: by how many iterations the agents were behind; `problems`: which ones were played."""
        behind = state.networks - trials.exploration.kept
        problems = (trials.problem.sum(axis=-1) * 10 ** jnp.arange(len(trials.problem))).sum()
        metrics = {"lag": behind.astype(jnp.float32).mean(), "problems": problems.astype(jnp.float32)}
        return AlgorithmState(networks=state.networks + 1, replay=state.replay + 1), metrics
