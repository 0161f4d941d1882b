"""Training until a return is reached and held: which return that is, and when it is held."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.exact.bounds import optimum
from scoutrl.runs.metrics import RETURN, read_rows

Until = float | str
"""A return to reach and hold: a number, a share of the optimum such as "95%", or "none"."""
HELD = 5
"""Evaluations in a row that have to be there: explorers go on to become quick for a while once the return is there."""
_ROUNDING = 1e-5
"""Sums of float32 rewards come out so much lower or higher."""


def read_until(given: Until, make: Callable[[], Spec]) -> float | None:
    """Read a return to train until.

    Args:
        given: a finite number, also as text; a share of the optimum on the validation problems, as "95%"; or "none".
        make: makes the family; called for a share only.

    Returns:
        The return, or None for "none".

    Raises:
        ScoutError: it is nothing of the kind, or a share of an optimum that cannot be computed or is not above 0.
    """
    text = str(given).strip()
    if text.lower() == "none":
        return None
    if not text.endswith("%"):
        return _number(text, given)
    share = _number(text[:-1], given) / 100
    if not 0 < share <= 1:
        raise ScoutError(f"until takes a share of the optimum above 0% and up to 100%; {text} is not.")
    try:
        best = optimum(make())["validation"]
    except ScoutError as error:
        raise ScoutError(f"give until as a number: {text} of the optimum is unknown, as {error}") from error
    if best <= 0:
        raise ScoutError(f"give until as a number: {text} of the optimum says little where that is {best:g}.")
    return share * best


def is_held(returns: Sequence[float], until: float | None) -> bool:
    """Whether the newest `HELD` of the returns, in the order of the evaluations, all are `until` or more."""
    newest = returns[-HELD:]
    return until is not None and len(newest) == HELD and min(newest) >= until - _ROUNDING * max(1.0, abs(until))


def read_returns(run: Path, iteration: int) -> list[float]:
    """The returns of the evaluations in a run directory, up to an iteration."""
    return [row[RETURN] for row in read_rows(run) if RETURN in row and row["iteration"] <= iteration]


def _number(text: str, given: Until) -> float:
    try:
        if not isinstance(given, bool) and math.isfinite(number := float(text)):
            return number
    except ValueError:
        pass
    raise ScoutError(f"until takes a return such as 0.75, a share of the optimum such as 95%, or none; not {given!r}.")
