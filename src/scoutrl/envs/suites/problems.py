"""Problems of a suite: values of fields, and the IDs that are found from them."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from scoutrl.envs.host.problems import kept_apart
from scoutrl.envs.problems import SPLITS, ProblemSet
from scoutrl.errors import ScoutError

Fields = Mapping[str, Any]
"""By field: an array with one row for each problem, or a tree of such."""


def read_problems(problems: ProblemSet | Fields, rows: Fields | None) -> tuple[ProblemSet, dict[str, Any]]:
    """The problems with their IDs, and the values of each.

    Without `rows` the components of a `ProblemSet` are fields and its IDs their values. Of a mapping the numbers that
    differ from problem to problem make the ID: whole numbers are components, numbered in their order; real numbers are
    real numbers, and then components beside them are one-hot.

    Raises:
        ScoutError: it is nothing of the kind, fields of unequal length, or two problems that are alike.
    """
    if isinstance(problems, ProblemSet):
        columns = zip(problems.names, problems.ids.T, strict=True)
        values = dict(columns) if rows is None else _arrays(rows)
        if (count := _count(values)) != len(problems.ids):
            raise ScoutError(f"rows has {count} rows, and there are {len(problems.ids)} problems.")
        return problems, values
    if rows is not None or not isinstance(problems, Mapping) or not problems:
        raise ScoutError("problems are a scoutrl.ProblemSet, or values by field, {'length': array of one row each}.")
    values, splits = _split(problems)
    names, ids = _ids(values)
    return ProblemSet(ids, splits["train"], splits["test"], names, splits.get("validation")), values


def _split(problems: Fields) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """All values, and the rows of each split."""
    if not {"train", "test"} <= set(problems) <= set(SPLITS):
        values = _arrays(problems)
        return values, kept_apart(_count(values))
    parts = {split: _arrays(part) for split, part in problems.items()}
    ends = np.cumsum([0, *(_count(part) for part in parts.values())]).tolist()
    try:
        values = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts.values())
    except ValueError as error:
        raise ScoutError("the fields of all splits must be the same, with rows of the same shape.") from error
    return values, {split: list(range(*ends[i : i + 2])) for i, split in enumerate(parts)}


def _arrays(fields: Any) -> dict[str, Any]:
    if not isinstance(fields, Mapping):
        raise ScoutError(f"values are given by field, {{'length': array}}; this is a {type(fields).__name__}.")

    def array(leaf: Any) -> np.ndarray:
        found = np.asarray(leaf)
        if found.dtype.kind not in "biuf":
            raise ScoutError(f"values of problems are numbers; there are some of type {found.dtype}.")
        return found

    # A list or a range holds one value for each problem: it is no tree.
    return {
        name: array(given) if isinstance(given, list | range) else jax.tree.map(array, given)
        for name, given in fields.items()
    }


def _count(values: dict[str, Any]) -> int:
    leaves = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(values)}
    counts = {path: len(leaf) if leaf.ndim else 0 for path, leaf in leaves.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ScoutError(f"each field needs one row for each problem; there are {counts}.")
    return next(iter(counts.values()))


def _ids(values: dict[str, Any]) -> tuple[list[str], np.ndarray]:
    """Names and columns of the IDs, from the numbers that differ."""
    names, columns = [], []
    # In the order of the fields: a tree of JAX's would sort them.
    leaves = [(field, *leaf) for field in values for leaf in jax.tree_util.tree_leaves_with_path(values[field])]
    for field, path, leaf in leaves:
        name = ".".join([field, jax.tree_util.keystr(path, simple=True, separator=".")]).rstrip(".")
        flat = leaf.reshape(len(leaf), -1)
        for j in np.flatnonzero((flat != flat[:1]).any(axis=0)):
            names.append(name if flat.shape[1] == 1 else f"{name}[{j}]")
            columns.append(flat[:, j])
    if not columns:  # one problem, or several that are alike, which a ProblemSet refuses
        return ["problem"], np.zeros((_count(values), 1), np.int32)
    if any(column.dtype.kind == "f" for column in columns):
        return _real(names, columns)
    return names, np.stack([np.unique(column, return_inverse=True)[1] for column in columns], axis=1)


def _real(names: list[str], columns: list[np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Real numbers as they are, and others one-hot beside them."""
    titles, parts = [], []
    for name, column in zip(names, columns, strict=True):
        if column.dtype.kind == "f":
            titles, parts = [*titles, name], [*parts, column[:, None]]
            continue
        known, numbers = np.unique(column, return_inverse=True)
        titles += [f"{name}={value}" for value in known.tolist()]
        parts.append(np.eye(len(known))[numbers])
    return titles, np.concatenate(parts, axis=1).astype(np.float64)
