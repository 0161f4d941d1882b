"""The problems of a family: their IDs, and which of them are for training, for validation and for the final test."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.errors import ScoutError

Problem = Int[Array, " k"] | Float[Array, " k"]
"""A problem ID: k integer components, or k real numbers."""
Split = Literal["train", "validation", "test"]
"""The problems learnt on, those watched while learning, or those kept for the final test."""
SPLITS: tuple[Split, ...] = get_args(Split)
"""All of them."""
_CARVED_FROM, _CARVED = 20, 10
"""From so many training problems on, one in so many becomes a validation problem unless the family says which."""
_FEW, _SPARSE = 1000, 10
"""A component may take so many values in any family, and in a large one so many for each problem."""


class ProblemSet(eqx.Module):
    """All problem IDs of a family as one array, one row a problem."""

    ids: np.ndarray
    """[n, k], integers (component j in 0 … sizes[j]-1) or real numbers."""
    names: tuple[str, ...] = eqx.field(static=True)
    """What each of the k components is called."""
    sizes: tuple[int, ...] | None = eqx.field(static=True)
    """How many values each component takes; None when the IDs are real vectors."""
    train: np.ndarray
    """Rows of the problems to learn on: those given, without the ones taken for validation."""
    test: np.ndarray
    """Rows of the problems kept for the final test."""
    validation: np.ndarray
    """Rows of the problems watched while learning: rows of their own, or the training rows again."""

    def __init__(
        self,
        ids: Sequence | np.ndarray | Mapping[str, Sequence],
        train: Sequence[int] | np.ndarray,
        test: Sequence[int] | np.ndarray,
        names: Sequence[str] | None = None,
        validation: Sequence[int] | np.ndarray | None = None,
    ):
        """Collect the problems.

        Args:
            ids: [n, k] or [n], no two rows alike; integers are components counted from 0, real numbers are vectors. Or
                a mapping of the name of each component to its n values.
            train: rows to learn on, at least one, none twice.
            test: rows kept for the final test, at least one, none twice, none of `train`; all of it where the family
                has no split.
            names: one name per component.
            validation: rows to watch while learning, at least one, none twice, none of `train` or `test`. None takes a
                tenth of `train` out of it, always the same rows, if these are 20 or more and none of them is in
                `test`; otherwise the training problems are the validation problems as well.

        Raises:
            ScoutError: an array of the wrong shape or type, numbers that int32 or float32 cannot hold, a negative
                component or one far above the number of problems, problems that are the same, a row that does not
                exist or is named twice, or a row of `validation` that is in another split.
        """
        if isinstance(ids, Mapping):
            names = list(ids) if names is None else names
            ids = _columns(ids)
        table = _table(ids)
        self.ids = _held(table)
        if repeated := len(table) - len(distinct(self.ids)):
            raise ScoutError(f"problem IDs must differ: {repeated} of the {len(table)} rows repeat another one")
        self.sizes = tuple(int(size) + 1 for size in self.ids.max(axis=0)) if self.ids.dtype == np.int32 else None
        self.names = tuple(names) if names is not None else tuple(f"component_{j}" for j in range(table.shape[1]))
        if len(self.names) != table.shape[1]:
            raise ScoutError(f"{len(self.names)} names were given for problem IDs of {table.shape[1]} components")
        self.train = _rows(train, len(table), "train")
        self.test = _rows(test, len(table), "test")
        if validation is not None:
            self.validation = _rows(validation, len(table), "validation")
            _refuse_shared(self.validation, self.train, "train")
            _refuse_shared(self.validation, self.test, "test")
        elif len(self.train) < _CARVED_FROM or np.isin(self.train, self.test).any():
            self.validation = self.train
        else:
            self.validation = _carved(self.ids, self.train)
            self.train = self.train[~np.isin(self.train, self.validation)]

    def rows(self, split: Split) -> np.ndarray:
        """The rows of one split."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    def of(self, split: Split) -> np.ndarray:
        """The IDs of one split, [m, k]."""
        return self.ids[self.rows(split)]

    def sample(self, key: PRNGKeyArray, count: int, split: Split = "train") -> Array:
        """IDs [count, k] drawn uniformly with replacement from one split."""
        ids = self.of(split)
        return jnp.asarray(ids)[jax.random.randint(key, (count,), 0, len(ids))]


def distinct(ids: np.ndarray) -> set[bytes]:
    """The rows of `ids` [n, k] as bytes, equal ones once; IDs of the same type may be compared so."""
    plain = np.ascontiguousarray(ids + ids.dtype.type(0))  # -0.0 becomes 0.0
    return set(plain.view(np.dtype((np.void, plain.itemsize * plain.shape[1]))).reshape(-1).tolist())


def _columns(ids: Mapping[str, Sequence]) -> list[tuple]:
    """The rows of a table that is given by its columns."""
    columns = [list(values) for values in ids.values()]
    if len({len(column) for column in columns}) != 1:
        raise ScoutError(f"problem IDs need as many values of each component; these are {[len(c) for c in columns]}")
    return list(zip(*columns, strict=True))


def _table(ids: Sequence | np.ndarray) -> np.ndarray:
    """The IDs as numbers [n, k], exactly as given."""
    try:
        table = np.asarray(ids)
    except ValueError as error:  # lists of unequal lengths
        raise ScoutError("problem IDs must be numbers of shape [n, k]; these rows differ in length") from error
    if table.dtype.kind == "f" and not hasattr(ids, "dtype") and np.abs(table).max(initial=0) >= 2**63:
        whole = np.asarray(ids, object)  # NumPy made real numbers of integers that 64 bits do not hold
        table = whole if all(isinstance(number, int | np.integer) for number in whole.flat) else table
    if table.dtype == object and all(isinstance(number, int | np.integer) for number in table.flat):
        _refuse_far(max(table.flat), len(table))
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "iuf":
        raise ScoutError(
            f"problem IDs must be numbers of shape [n, k]; these have shape {table.shape} and type {table.dtype}"
        )
    return table


def _held(table: np.ndarray) -> np.ndarray:
    """The IDs as int32 or float32, none of them turned into another number than rounding makes it."""
    if table.dtype.kind in "iu":
        if table.min() < 0:
            raise ScoutError("problem IDs made of integers count from 0; there is a negative one")
        _refuse_far(int(table.max()), len(table))
        return table.astype(np.int32)
    if not np.isfinite(table).all():
        raise ScoutError("problem IDs must be finite numbers")
    with np.errstate(over="ignore", under="ignore"):
        held = table.astype(np.float32)
    lost = ~np.isfinite(held) | ((held == 0) & (table != 0))
    if lost.any():
        raise ScoutError(f"problem IDs are kept as float32, which cannot hold {table[lost][0]:g}: scale them")
    return held


def _refuse_far(largest: int, count: int) -> None:
    """Networks have a row for each value up to the largest."""
    if largest >= max(_FEW, _SPARSE * count):
        raise ScoutError(
            f"problem IDs made of integers count from 0, and {count} problems do not need one as large as {largest}: "
            "number the values that occur 0, 1, 2, …, or give real numbers"
        )


def _rows(rows: Sequence[int] | np.ndarray, count: int, name: str) -> np.ndarray:
    array = np.asarray(rows)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise ScoutError(f"the {name} split must be a list of at least one row number")
    if array.min() < 0 or array.max() >= count:
        raise ScoutError(f"the {name} split names a row outside 0 … {count - 1}")
    if len(np.unique(array)) < array.size:
        raise ScoutError(f"the {name} split names a row twice: it would count double")
    return array.astype(np.int32)


def _refuse_shared(validation: np.ndarray, rows: np.ndarray, name: str) -> None:
    if len(both := np.intersect1d(validation, rows)):
        raise ScoutError(
            f"row {both[0]} is in the validation split and in the {name} split: leave it out of one, or leave out "
            "`validation` where nothing can be kept apart"
        )


def _carved(ids: np.ndarray, train: np.ndarray) -> np.ndarray:
    """The rows of `train` to validate on, in rising order; first those whose components all occur in other rows too.

    A value of a component that no training problem has would be new to the agent, in the test as well.
    """
    # The stream of a RandomState is frozen: other versions of NumPy make the same split.
    order = np.random.RandomState(0).permutation(np.sort(train))
    values = np.stack([np.unique(column, return_inverse=True)[1] for column in ids[order].T], axis=1)
    left = [np.bincount(column) for column in values.T]
    spared: list[int] = []
    for place, row in enumerate(values if values.shape[1] > 1 else ()):
        if all(counts[value] > 1 for counts, value in zip(left, row, strict=True)):
            spared.append(place)
            for counts, value in zip(left, row, strict=True):
                counts[value] -= 1
        if len(spared) == len(train) // _CARVED:
            break
    others = np.setdiff1d(np.arange(len(order)), spared)
    return np.sort(order[np.concatenate([np.array(spared, int), others])[: len(train) // _CARVED]])
