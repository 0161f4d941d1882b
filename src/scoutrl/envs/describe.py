"""A family in words and small pictures, for people: what its actions, symbols, goals and problems are called."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import UInt8


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A sign of a family's pictures, with its meaning."""

    meaning: str
    """What it stands for, in a few words."""
    picture: UInt8[np.ndarray, "height width 3"]
    """As it looks in the family's pictures."""


def plainly(value: np.ndarray) -> str:
    """A goal or a problem ID as numbers: "3", or "8, 0"."""
    return ", ".join(f"{number:g}" for number in np.ravel(value).tolist())


@dataclasses.dataclass(frozen=True)
class Description:
    """What a family is called in words; whatever is left out is shown as numbers, or not at all."""

    actions: Sequence[str] = ()
    """Names of the actions, by number."""
    legend: Sequence[Symbol] = ()
    """Every symbol of the family's pictures."""
    goal: Callable[[np.ndarray], str] = plainly
    """A goal in words, such as "corner (8, 0)"."""
    problem: Callable[[np.ndarray], str] | None = None
    """What is to be found out in a problem, by its ID, such as "the sign says RED"; None: its components by name."""
    beside: Callable[[np.ndarray], UInt8[np.ndarray, "height width 3"]] | None = None
    """A picture by problem ID that is shown beside every frame, of what would be too small in it; None: nothing."""
