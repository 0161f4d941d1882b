"""The encoder of problem IDs, used in training only."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.nn.init import Rng, normal
from scoutrl.nn.linear import Linear, matmul


class ProblemEncoder(eqx.Module):
    """f_ψ(μ), the mean of F_ψ(z|μ) = N(f_ψ(μ), ρ²I).

    An ID of integer components is the sum of one embedding per component over the square root of their number, each
    minus the mean of its component: what all problems share tells none from another. A real vector goes through one
    hidden layer.
    """

    tables: list[Float[Array, "values z"]]
    """One table of embeddings per component; empty for real vectors."""
    layers: list[Linear]
    """Two layers for real vectors; empty for integers."""

    def __init__(
        self, sizes: Sequence[int] | None, length: int, outputs: int, rng: Rng, scale: float = 1.0, width: int = 128
    ):
        """Draw an encoder of IDs with `length` components.

        Args:
            sizes: how many values each component takes; None for real vectors.
            length: k, the number of components.
            outputs: length of f.
            rng: draws the weights.
            scale: standard deviation of f before learning.
            width: of the hidden layer for real vectors.
        """
        self.tables = [] if sizes is None else [normal(rng, (values, outputs), scale) for values in sizes]
        self.layers = [] if sizes is not None else [Linear(length, width, rng), Linear(width, outputs, rng, gain=scale)]

    def __call__(self, problem: Array) -> Float[Array, "*batch z"]:
        """f_ψ of problem IDs [..., k]."""
        if self.layers:
            return self.layers[1](jax.nn.relu(self.layers[0](problem)))
        parts = [
            matmul(jax.nn.one_hot(problem[..., i], table.shape[0]), table - table.mean(axis=0, keepdims=True))
            for i, table in enumerate(self.tables)
        ]
        return jnp.stack(parts).sum(axis=0) / len(parts) ** 0.5
