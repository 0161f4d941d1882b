"""What every recurrent cell can do: one step at a time for acting, a whole sequence at once for learning."""

import abc
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

Hidden = Float[Array, "*batch hidden"]

MemoryCell = Literal["linear", "gru"]
"""Kind of a recurrent memory: linear in its own state (minGRU), or a GRU."""


class Cell(eqx.Module):
    """A recurrence h_t = cell(h_{t-1}, x_t) with h_0 = 0."""

    hidden: eqx.AbstractVar[int]
    """Length of the hidden state."""

    def initial(self) -> Float[Array, " hidden"]:
        """h_0: the memory of nothing."""
        return jnp.zeros(self.hidden)

    @abc.abstractmethod
    def step(self, hidden: Hidden, x: Float[Array, "*batch size"]) -> Hidden:
        """One step, with any leading axes."""

    @abc.abstractmethod
    def scan(self, x: Float[Array, "batch time size"]) -> Float[Array, "batch time+1 hidden"]:
        """The memory before the first step and after each, [batch, time + 1, hidden]."""


def with_initial(after: Float[Array, "time batch hidden"]) -> Float[Array, "batch time+1 hidden"]:
    """h_1 … h_T in time order as [batch, time + 1, hidden], h_0 before them."""
    return jnp.pad(after, ((1, 0), (0, 0), (0, 0))).swapaxes(0, 1)
