"""Temporally coherent noise for an explorer in training: acting as if some other task were the true one.

Independent random actions hardly ever do anything twice over. From a random step of its episode on, an explorer may act
as the exploitation policy would if a problem and a goal drawn at random were true: noise that gets somewhere.
"""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

HYPOTHESES = 4
"""How many tasks an explorer in training may act on."""
SWITCH = 0.15
"""Chance per step to turn to another hypothesis."""
RANDOM = 0.15
"""Share of random actions while acting on a hypothesis."""


@final
class HypotheticalTasks(eqx.Module):
    """Problems and goals drawn at random, independently of the trial's own."""

    z: Float[Array, "hypotheses z"]
    """f_ψ of the problems."""
    goals: Float[Array, "hypotheses goal"]
    """Features of the goals."""
    share: float = eqx.field(static=True)
    """Share of trials that act on a hypothesis from some step on."""
    horizon: int = eqx.field(static=True)
    """That step is drawn from 0 … horizon - 1."""

    def steps_until(self, key: PRNGKeyArray) -> Int[Array, ""]:
        """Draw the steps until the first hypothesis; far beyond any horizon in trials that never turn to one."""
        some, step = jax.random.split(key)
        never = jnp.iinfo(jnp.int32).max
        first = jax.random.randint(step, (), 0, self.horizon)
        return jnp.where(jax.random.bernoulli(some, self.share), first, never)

    def switch(self, current: Int[Array, ""], key: PRNGKeyArray) -> Int[Array, ""]:
        """The same hypothesis, or now and then another."""
        change, draw = jax.random.split(key)
        other = jax.random.randint(draw, (), 0, len(self.z))
        return jnp.where(jax.random.bernoulli(change, SWITCH), other, current)

    def task(self, current: Int[Array, ""]) -> tuple[Float[Array, " goal"], Float[Array, " z"]]:
        """Goal features and z of a hypothesis; by a product, for a gather is slow in a batch."""
        one_hot = jax.nn.one_hot(current, len(self.z))
        return one_hot @ self.goals, one_hot @ self.z


def no_hypotheses(z: int, goal: int, share: float, horizon: int) -> HypotheticalTasks:
    """Room for hypotheses, zeros."""
    return HypotheticalTasks(jnp.zeros((HYPOTHESES, z)), jnp.zeros((HYPOTHESES, goal)), share, horizon)
