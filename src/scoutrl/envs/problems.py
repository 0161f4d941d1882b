"""The problems of a family: their IDs and which of them are kept for the final test."""

from collections.abc import Sequence
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.errors import ScoutError

Problem = Int[Array, " k"] | Float[Array, " k"]
"""A problem ID: k integer components, or k real numbers."""
Split = Literal["train", "test"]
"""The problems learnt on, or the unseen ones."""


class ProblemSet(eqx.Module):
    """All problem IDs of a family as one array, one row a problem."""

    ids: np.ndarray
    """[n, k], integers (component j in 0 … sizes[j]-1) or real numbers."""
    names: tuple[str, ...] = eqx.field(static=True)
    """What each of the k components is called."""
    sizes: tuple[int, ...] | None = eqx.field(static=True)
    """How many values each component takes; None when the IDs are real vectors."""
    train: np.ndarray
    """Rows of the problems to learn on."""
    test: np.ndarray
    """Rows of the unseen problems."""

    def __init__(
        self,
        ids: Sequence | np.ndarray,
        train: Sequence[int] | np.ndarray,
        test: Sequence[int] | np.ndarray,
        names: Sequence[str] | None = None,
    ):
        """Collect the problems.

        Args:
            ids: [n, k] or [n]; integers are components counted from 0, real numbers are vectors.
            train: rows to learn on, at least one.
            test: rows kept for the final test, at least one; equal to `train` where the family has no split.
            names: one name per component.

        Raises:
            ScoutError: an array of the wrong shape or type, a row that does not exist, a negative component.
        """
        table = np.asarray(ids)
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "iuf":
            raise ScoutError(
                f"problem IDs must be numbers of shape [n, k]; these have shape {table.shape} and type {table.dtype}"
            )
        integer = table.dtype.kind in "iu"
        if integer and table.min() < 0:
            raise ScoutError("problem IDs made of integers count from 0; there is a negative one")
        if not np.isfinite(table).all():
            raise ScoutError("problem IDs must be finite numbers")
        self.ids = table.astype(np.int32 if integer else np.float32)
        self.sizes = tuple(int(size) for size in table.max(axis=0) + 1) if integer else None
        self.names = tuple(names) if names is not None else tuple(f"component_{j}" for j in range(table.shape[1]))
        if len(self.names) != table.shape[1]:
            raise ScoutError(f"{len(self.names)} names were given for problem IDs of {table.shape[1]} components")
        self.train = _rows(train, len(table), "train")
        self.test = _rows(test, len(table), "test")

    def rows(self, split: Split) -> np.ndarray:
        """The rows of one split."""
        return self.train if split == "train" else self.test

    def of(self, split: Split) -> np.ndarray:
        """The IDs of one split, [m, k]."""
        return self.ids[self.rows(split)]

    def sample(self, key: PRNGKeyArray, count: int, split: Split = "train") -> Array:
        """IDs [count, k] drawn uniformly with replacement from one split."""
        ids = self.of(split)
        return jnp.asarray(ids)[jax.random.randint(key, (count,), 0, len(ids))]


def _rows(rows: Sequence[int] | np.ndarray, count: int, name: str) -> np.ndarray:
    array = np.asarray(rows)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise ScoutError(f"the {name} split must be a list of at least one row number")
    if array.min() < 0 or array.max() >= count:
        raise ScoutError(f"the {name} split names a row outside 0 … {count - 1}")
    return array.astype(np.int32)
