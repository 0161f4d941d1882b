"""Recurrent memory of the transitions (s, a, r, s') so far: the same for explorers, decoders and policies."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.nn.cell import Cell, Hidden, MemoryCell
from scoutrl.nn.gru import Gru
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.min_gru import MinGru


class TransitionFeatures(eqx.Module):
    """Transitions as features; every field has the same leading axes."""

    before: Float[Array, "*batch observation"]
    """s, encoded."""
    action: Float[Array, "*batch action"]
    """a, encoded."""
    reward: Float[Array, "*batch"]
    """r."""
    after: Float[Array, "*batch observation"]
    """s', encoded."""


class History(eqx.Module):
    """h_t = cell(h_{t-1}, relu(W [s, a, r, s'])); h_0 = 0, before the first transition."""

    embed: Linear
    """W."""
    cell: Cell
    """The recurrence."""

    def __init__(self, observation: int, action: int, width: int, hidden: int, cell: MemoryCell, rng: Rng):
        """Draw a memory of length `hidden` and of a kind, for features of such lengths."""
        self.embed = Linear(2 * observation + action + 1, width, rng)
        self.cell = (MinGru if cell == "linear" else Gru)(width, hidden, rng)

    def initial(self) -> Float[Array, " hidden"]:
        """h_0."""
        return self.cell.initial()

    def step(self, hidden: Hidden, transition: TransitionFeatures) -> Hidden:
        """h after one more transition."""
        return self.cell.step(hidden, self._embed(transition))

    def scan(self, transitions: TransitionFeatures) -> Float[Array, "batch time+1 hidden"]:
        """h on every prefix of [batch, time] transitions, the empty one included."""
        return self.cell.scan(self._embed(transitions))

    def _embed(self, transitions: TransitionFeatures) -> Array:
        parts = [transitions.before, transitions.action, transitions.reward[..., None], transitions.after]
        return jax.nn.relu(self.embed(jnp.concatenate(parts, axis=-1)))
