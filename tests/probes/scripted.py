"""An algorithm that learns nothing: its agent plays `Rooms` perfectly, from memory and by script."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from scoutrl.algorithms.base import Algorithm, AlgorithmState
from scoutrl.errors import ScoutError
from scoutrl.trials.agent import Agent, Phase


class Notes(eqx.Module):
    secret: Array
    goal: Array
    phase: Phase = eqx.field(static=True)


class Scripted(Agent):
    shift: Array

    def begin(self, key):
        return Notes(jnp.int32(0), jnp.int32(0), Phase.EXPLORATION)

    def begin_episode(self, memory, phase, goal, key):
        return Notes(memory.secret, jnp.int32(0) if goal is None else jnp.asarray(goal, jnp.int32), phase)

    def act(self, memory, features, key, greedy):
        if memory.phase == Phase.EXPLORATION:
            return jnp.int32(0), memory
        known = (memory.secret + memory.goal + self.shift) % 4
        return known if greedy else jax.random.randint(key, (), 0, 4), memory

    def observe(self, memory, action, step):
        if memory.phase == Phase.EXPLOITATION:
            return memory
        secret = jnp.where(step.observation > 0, step.observation - 1, memory.secret)
        return Notes(secret.astype(jnp.int32), memory.goal, memory.phase)


class Script(Algorithm):
    """Learns nothing. Its settings are of every kind that there is."""

    trials_per_iteration: int = 4
    updates_per_iteration: int = 1
    exploration_episodes: int = 1
    exploitation_episodes: int = 2
    shift: int = 0
    """Is added to the right answer."""
    errs: Literal["never", "some seeds"] = "never"
    """Whether some seeds give a wrong answer always."""
    rate: float = 0.5
    note: str | None = None
    flag: bool = False
    sizes: tuple[int, ...] = (2, 3)

    def __check_init__(self):
        if self.rate <= 0:
            raise ScoutError(f"rate must be above 0; it is {self.rate}.")

    def init(self, spec, key):
        # A bit in which the keys of seeds 1 and 2 differ: seed 1 is right.
        wrong = (jax.random.key_data(key)[-1] >> 7) % 2 if self.errs == "some seeds" else 0
        return AlgorithmState(networks=jnp.int32(self.shift + wrong))

    def agent(self, spec, state):
        return Scripted(state.networks)

    def collector(self, spec, state, problem, key):
        return Scripted(state.networks)

    def learn(self, spec, state, trials, key):
        return state, {"loss": jnp.float32(0)}
