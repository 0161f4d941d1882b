"""The two ends of DREAM's channel: F_ψ, which encodes a problem's ID, and q_ω, which decodes it from a trajectory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.envs import ProblemSet
from scoutrl.nn.linear import Linear, matmul


class ProblemEncoder(eqx.Module):
    """f_ψ(μ), the mean of F_ψ(z|μ) = N(f_ψ(μ), ρ²I).

    An ID of integer components is the sum of one embedding per component over the square root of their number, each
    less the mean of its component: what all problems share tells none from another. A real vector goes through one
    hidden layer.
    """

    tables: list[Float[Array, "values z"]]
    """One table of embeddings per component; empty for real vectors."""
    layers: list[Linear]
    """Two layers for real vectors; empty for integers."""

    def __init__(self, problems: ProblemSet, size: int, scale: float = 1.0, width: int = 128):
        if problems.sizes is None:
            self.tables = []
            self.layers = [Linear(problems.ids.shape[1], width), Linear(width, size, gain=scale)]
        else:
            self.layers = []
            self.tables = [jnp.full((values, size), scale) for values in problems.sizes]

    def __call__(self, problem: Array) -> Float[Array, "*batch z"]:
        """f_ψ of problem IDs [..., k]."""
        if self.layers:
            return self.layers[1](jax.nn.relu(self.layers[0](problem)))
        parts = [
            matmul(jax.nn.one_hot(problem[..., i], table.shape[0]), table - table.mean(axis=0))
            for i, table in enumerate(self.tables)
        ]
        return jnp.stack(parts).sum(axis=0) / len(parts) ** 0.5
