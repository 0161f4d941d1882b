"""Agents that are quickly compiled."""

import equinox as eqx
import jax.numpy as jnp

from scoutrl.trials.agent import Agent


class Walker(Agent):
    """Always does the same."""

    action: int = eqx.field(static=True)

    def begin(self, key):
        return None

    def begin_episode(self, memory, phase, goal, key):
        return memory

    def act(self, memory, features, key, greedy):
        return jnp.int32(self.action), memory

    def observe(self, memory, action, step):
        return memory
