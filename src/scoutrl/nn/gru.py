"""Recurrent memory: a gated recurrent unit (Cho et al. 2014) whose scan is fast in XLA on a CPU.

Per step, with σ the logistic function and x the input's three projections:

    r = σ(x_r + h U_r)    u = σ(x_u + h U_u)    n = tanh(x_n + r (h U_n + b))    h' = (1 - u) n + u h
"""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.nn.cell import Cell, Hidden, with_initial
from scoutrl.nn.init import Rng, normal, zeros
from scoutrl.nn.linear import Linear, matmul


class Recurrence(eqx.Module):
    """The weights on the hidden state; three products are faster than one that is cut afterwards."""

    reset: Float[Array, "hidden hidden"]
    """U_r."""
    update: Float[Array, "hidden hidden"]
    """U_u."""
    new: Float[Array, "hidden hidden"]
    """U_n."""
    bias: Float[Array, " hidden"]
    """b."""


class Projection(eqx.Module):
    """The weights on the input."""

    reset: Linear
    """To x_r."""
    update: Linear
    """To x_u."""
    new: Linear
    """To x_n."""

    def __call__(self, x: Array) -> "Inputs":
        """Project inputs with any leading axes."""
        return Inputs(self.reset(x), self.update(x), self.new(x))


class Inputs(eqx.Module):
    """The input's projections, each [..., hidden]."""

    reset: Array
    """x_r."""
    update: Array
    """x_u."""
    new: Array
    """x_n."""


@final
class Gru(Cell):
    """A gated recurrent unit."""

    project: Projection
    """From the input."""
    recurrence: Recurrence
    """The hidden state's own weights."""
    hidden: int = eqx.field(static=True)

    def __init__(self, size: int, hidden: int, rng: Rng):
        """Draw a unit for inputs of length `size`."""
        self.hidden = hidden
        self.project = Projection(*(Linear(size, hidden, rng, gain=1.0) for _ in range(3)))
        reset, update, new = (normal(rng, (hidden, hidden), hidden**-0.5) for _ in range(3))
        self.recurrence = Recurrence(reset, update, new, zeros(hidden))

    def step(self, hidden: Hidden, x: Float[Array, "*batch size"]) -> Hidden:
        """One step, with any leading axes."""
        return _gates(self.recurrence, hidden, self.project(x)).hidden

    def scan(self, x: Float[Array, "batch time size"]) -> Float[Array, "batch time+1 hidden"]:
        """The memory before the first step and after each, [batch, time + 1, hidden]."""
        inputs = jax.tree.map(lambda a: a.swapaxes(0, 1), self.project(x))
        return with_initial(_scan(self.recurrence, inputs))


class _Gates(eqx.Module):
    """All that one step computes."""

    reset: Array
    update: Array
    new: Array
    inner: Array
    hidden: Array


def _gates(weights: Recurrence, hidden: Hidden, x: Inputs) -> _Gates:
    reset = jax.nn.sigmoid(x.reset + matmul(hidden, weights.reset))
    update = jax.nn.sigmoid(x.update + matmul(hidden, weights.update))
    inner = matmul(hidden, weights.new) + jnp.broadcast_to(weights.bias, hidden.shape)
    new = jnp.tanh(x.new + reset * inner)
    return _Gates(reset, update, new, inner, new + update * (hidden - new))


@jax.custom_vjp
def _scan(weights: Recurrence, inputs: Inputs) -> Float[Array, "time batch hidden"]:
    return _scan_forward(weights, inputs)[0]


def _scan_forward(weights: Recurrence, inputs: Inputs) -> tuple[Array, tuple]:
    def step(hidden: Array, x: Inputs) -> tuple[Array, _Gates]:
        gates = _gates(weights, hidden, x)
        return gates.hidden, gates

    _, gates = jax.lax.scan(step, jnp.zeros_like(inputs.new[0]), inputs)
    return gates.hidden, (weights, gates)


def _scan_backward(saved: tuple, gradient: Float[Array, "time batch hidden"]) -> tuple[Recurrence, Inputs]:
    """Backward through time; the gradient of each weight is one product at the end, not a sum of products."""
    weights, gates = saved
    before = jnp.concatenate([jnp.zeros_like(gates.hidden[:1]), gates.hidden[:-1]])

    def step(later: Array, now: tuple) -> tuple[Array, tuple[Inputs, Array]]:
        gradient, gate, hidden = now
        total = gradient + later
        new = total * (1 - gate.update) * (1 - gate.new**2)
        update = total * (hidden - gate.new) * gate.update * (1 - gate.update)
        reset = new * gate.inner * gate.reset * (1 - gate.reset)
        inner = new * gate.reset
        earlier = total * gate.update + reset @ weights.reset.T + update @ weights.update.T + inner @ weights.new.T
        return earlier, (Inputs(reset, update, new), inner)

    _, (inputs, inner) = jax.lax.scan(step, jnp.zeros_like(gradient[0]), (gradient, gates, before), reverse=True)
    flat = before.reshape(-1, before.shape[-1]).T

    def product(x: Array) -> Array:
        return flat @ x.reshape(-1, x.shape[-1])

    return Recurrence(product(inputs.reset), product(inputs.update), product(inner), inner.sum(axis=(0, 1))), inputs


_scan.defvjp(_scan_forward, _scan_backward)
