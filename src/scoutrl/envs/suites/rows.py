"""Which problem an ID belongs to, and what is different in it: found within the compiled program."""

import math
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.envs.problems import Problem, ProblemSet


@final
class Rows(eqx.Module):
    """The values of all problems, one row each, in the order of their IDs."""

    ids: np.ndarray
    """[n, k], in lexicographic order."""
    values: dict[str, Any]
    """Trees of arrays with the leading axis [n], by what they replace."""

    def __init__(self, problems: ProblemSet, values: dict[str, Any]):
        """Take the values in the order of `problems.ids`."""
        order = np.lexsort(problems.ids.T[::-1])
        self.ids = problems.ids[order]
        self.values = jax.tree.map(lambda leaf: leaf[order], values)

    def of(self, problem: Problem) -> dict[str, Any]:
        """What is different in the problem with this ID, by bisection: as many comparisons as log2(n)."""
        ids = jnp.asarray(self.ids)

        def narrow(_: Any, bounds: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = bounds  # ids[low] <= problem < ids[high]
            middle = (low + high) // 2
            differs = ids[middle] != problem
            first = jnp.argmax(differs)
            reached = ~differs.any() | (ids[middle][first] < problem[first])
            return jnp.where(reached, middle, low), jnp.where(reached, high, middle)

        start = jnp.int32(0), jnp.int32(len(self.ids))
        row, _ = jax.lax.fori_loop(0, math.ceil(math.log2(len(self.ids))) if len(self.ids) > 1 else 0, narrow, start)
        return jax.tree.map(lambda leaf: jnp.asarray(leaf)[row], self.values)
