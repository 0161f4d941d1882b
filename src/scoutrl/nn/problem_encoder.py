"""The encoder of problem IDs, used in training only."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from scoutrl.nn.init import Rng, normal
from scoutrl.nn.linear import Linear, matmul

_MOST = 256
"""Training problems that a mean is taken over, at most."""


class ProblemEncoder(eqx.Module):
    """f_ψ(μ), the mean of F_ψ(z|μ) = N(f_ψ(μ), ρ²I).

    An ID of integer components is the sum of one embedding per component over the square root of their number, each
    minus the mean of its component: what all problems share tells none from another. A real vector goes through one
    hidden layer, and the mean over the training problems is taken off likewise.
    """

    tables: list[Float[Array, "values z"]]
    """One table of embeddings per component; empty for real vectors."""
    hidden: Linear | None
    """The hidden layer for real vectors; None for integers."""
    out: Float[Array, "width z"] | None
    """From the hidden layer to f; no bias, for a mean that is taken off would take it off again."""
    known: tuple[tuple[float, ...], ...] = eqx.field(static=True)
    """Training problems, whose mean is taken off; empty for integers, or if nothing is."""

    def __init__(
        self,
        sizes: Sequence[int] | None,
        length: int,
        outputs: int,
        rng: Rng,
        scale: float = 1.0,
        width: int = 128,
        known: np.ndarray | None = None,
    ):
        """Draw an encoder of IDs with `length` components.

        Args:
            sizes: how many values each component takes; None for real vectors.
            length: k, the number of components.
            outputs: length of f.
            rng: draws the weights.
            scale: standard deviation of f before learning.
            width: of the hidden layer for real vectors.
            known: IDs of training problems [n, length]; of real vectors the mean over these is taken off f, or over
                256 of them, evenly spread, if they are more.
        """
        self.tables = [] if sizes is None else [normal(rng, (values, outputs), scale) for values in sizes]
        rows = [] if known is None or sizes is not None else known[:: -(-len(known) // _MOST)].tolist()
        self.known = tuple(tuple(row) for row in rows)
        self.hidden = None if sizes is not None else Linear(length, width, rng)
        self.out = None if sizes is not None else normal(rng, (width, outputs), scale / width**0.5)

    def __call__(self, problem: Array) -> Float[Array, "*batch z"]:
        """f_ψ of problem IDs [..., k]."""
        if self.hidden is not None:
            f = self._of_real(problem)
            if not self.known:
                return f
            return f - jnp.broadcast_to(self._of_real(jnp.array(self.known)).mean(axis=0), f.shape)
        parts = [
            matmul(jax.nn.one_hot(problem[..., i], table.shape[0]), table - table.mean(axis=0, keepdims=True))
            for i, table in enumerate(self.tables)
        ]
        return jnp.stack(parts).sum(axis=0) / len(parts) ** 0.5

    def _of_real(self, problem: Array) -> Float[Array, "*batch z"]:
        """Of real vectors, before anything is taken off."""
        assert self.hidden is not None
        assert self.out is not None
        return matmul(jax.nn.relu(self.hidden(problem)), self.out)
