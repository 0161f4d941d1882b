"""Problems that are keyword arguments: their IDs are found from the values that differ."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoutrl.envs.problems import SPLITS, ProblemSet
from scoutrl.errors import ScoutError

_KEPT, _LEAST = 5, 10
"""Of a list without splits one problem in so many is kept for the test, if it has at least so many."""
_CELLS = 256
"""The most cells of a nested value that become components."""

Arguments = tuple[Any, ...]
"""What each problem's environment is made from, by the row of the problem."""
Problems = ProblemSet | Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Mapping[str, Any]]]
"""Problems as users give them: with IDs, as a list of keyword arguments, or as such lists by the name of the split."""


def read_problems(given: Problems) -> tuple[ProblemSet, Arguments]:
    """The problems with their IDs, and what each environment is made from.

    A `ProblemSet` gives each problem the mapping of its names to its numbers. Of keyword arguments those that differ
    from problem to problem make the ID: whole numbers, texts and truth values are components, numbered in their order;
    real numbers are real numbers, and then components beside them are one-hot. Nested values of one shape are taken
    apart, rows of letters as well: each cell that differs is one of these. Other nested values are components,
    numbered as they first occur: of such a number nothing can be learnt for problems that were never seen.

    Raises:
        ScoutError: it is nothing of the kind; arguments that are missing in some; two problems that are alike.
    """
    if isinstance(given, ProblemSet):
        return given, tuple(_named(given.names, row) for row in given.ids.tolist())
    rows, splits = _listed(given)
    names = list(rows[0])
    for number, row in enumerate(rows):
        if set(row) != set(names):
            raise ScoutError(f"problem {number} has the arguments {sorted(row)}, and the first one {sorted(names)}.")
    differ = [name for name in names if len({_text(row[name]) for row in rows}) > 1]
    parts = {}
    for name in differ or names[:1]:
        parts |= _parts(name, [row[name] for row in rows])
    columns = {name: _column(values) for name, values in parts.items()}
    if not columns:
        raise ScoutError("problems are keyword arguments, and these have none.")
    titles, table = _table(columns)
    validation = splits.get("validation")
    return ProblemSet(table, splits["train"], splits["test"], titles, validation), tuple(dict(row) for row in rows)


def kept_apart(count: int) -> dict[str, list[int]]:
    """The rows to train on and, of 10 or more, a fifth for the test, always the same; of fewer all are for both."""
    rows = list(range(count))
    if count < _LEAST:
        return {"train": rows, "test": rows}
    # The stream of a RandomState is frozen: other versions of NumPy make the same split.
    kept = set(np.random.RandomState(0).permutation(count)[: count // _KEPT].tolist())
    return {"train": [row for row in rows if row not in kept], "test": sorted(kept)}


def _named(names: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    return dict(zip(names, row, strict=True))


def _listed(given: Any) -> tuple[list[Mapping[str, Any]], dict[str, list[int]]]:
    """All problems, and the rows of each split."""
    if isinstance(given, Mapping):
        if not {"train", "test"} <= set(given) <= set(SPLITS):
            raise ScoutError(f"problems are a list, or lists named train, test, validation; not {sorted(given)}.")
        rows, splits = [], {}
        for split, part in given.items():
            splits[split] = list(range(len(rows), len(rows) + len(_mappings(part))))
            rows += _mappings(part)
        return rows, splits
    rows = _mappings(given)
    return rows, kept_apart(len(rows))


def _mappings(given: Any) -> list[Mapping[str, Any]]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence) or not len(given):
        raise ScoutError("problems are a scoutrl.ProblemSet, or a list of keyword arguments, at least one.")
    for number, row in enumerate(given):
        if not isinstance(row, Mapping) or not all(isinstance(name, str) for name in row):
            raise ScoutError(f"problem {number} must be keyword arguments, name to value; it is {row!r:.80}.")
    return list(given)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _parts(name: str, values: list[Any]) -> dict[str, list[Any]]:
    """The cells that differ of nested values that have one shape, by name; other values as they are."""
    if not all(isinstance(value, list | tuple) for value in values):
        return {name: values}
    tables = [np.array(_apart(value), object) for value in values]
    if len({table.shape for table in tables}) > 1 or any(isinstance(cell, list) for one in tables for cell in one.flat):
        return {name: values}
    cells = {place: [table[place] for table in tables] for place in np.ndindex(tables[0].shape)}
    differ = {place: some for place, some in cells.items() if len(set(map(_text, some))) > 1}
    if not 0 < len(differ) <= _CELLS:
        return {name: values}
    return {name + "".join(f"[{i}]" for i in place): some for place, some in differ.items()}


def _apart(value: Any) -> Any:
    """A nested value as lists, with texts in it as lists of their letters."""
    if isinstance(value, str) and len(value) > 1:
        return list(value)
    return [_apart(one) for one in value] if isinstance(value, list | tuple) else value


def _column(values: list[Any]) -> tuple[np.ndarray, list[str]]:
    """Real numbers and no names; or the number of each value, and what the numbers stand for."""
    plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if plain and any(isinstance(value, float) for value in values):
        return np.array(values, np.float64), []
    simple = plain or (len({type(value) for value in values}) == 1 and isinstance(values[0], str | bool))
    known = sorted(set(values)) if simple else list({_text(value): None for value in values})
    numbers = {value: number for number, value in enumerate(known)}
    return np.array([numbers[value if simple else _text(value)] for value in values]), [str(value) for value in known]


def _table(columns: Mapping[str, tuple[np.ndarray, list[str]]]) -> tuple[list[str], np.ndarray]:
    """Names and columns of the IDs: all components, or all real numbers."""
    if all(names for _, names in columns.values()):
        return list(columns), np.stack([values for values, _ in columns.values()], axis=1)
    titles, found = [], []
    for name, (values, names) in columns.items():
        titles += [f"{name}={value}"[:40] for value in names] or [name]
        found += [np.eye(len(names))[values]] if names else [values[:, None]]
    return titles, np.concatenate(found, axis=1)
