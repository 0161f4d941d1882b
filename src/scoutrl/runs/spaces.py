"""Gymnasium spaces as JSON, and back."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space

from scoutrl.envs import Spaces
from scoutrl.errors import ScoutError

_ROLES = ("observation", "action", "goal")


def spaces_to_json(spaces: Spaces) -> dict[str, Any]:
    """Role to space, for `spaces_from_json`.

    Raises:
        ScoutError: a space that is neither Discrete, MultiDiscrete nor Box.
    """
    return {role: _to_json(getattr(spaces, role)) for role in _ROLES}


def spaces_from_json(content: dict[str, Any]) -> Spaces:
    """What `spaces_to_json` was given.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return Spaces(*(_from_json(content[role]) for role in _ROLES))


def _to_json(space: Space | None) -> dict[str, Any] | None:
    if space is not None and type(space) not in (Discrete, MultiDiscrete, Box):
        raise ScoutError(f"a space of type {type(space).__name__} cannot be saved.")
    found: dict[str, Any] = {}
    match space:
        case None:
            return None
        case Discrete():
            found = {"n": int(space.n), "start": int(space.start)}
        case MultiDiscrete():
            found = {"nvec": space.nvec.tolist(), "start": space.start.tolist()}
        case Box():
            found = {"shape": list(space.shape), "low": _limit(space.low), "high": _limit(space.high)}
    return {"type": type(space).__name__, "dtype": np.dtype(space.dtype).name, **found}


def _from_json(content: dict[str, Any] | None) -> Any:
    if content is None:
        return None
    found = dict(content)
    kind, dtype = found.pop("type"), np.dtype(found.pop("dtype")).type
    if kind == "Box":
        shape = tuple(found["shape"])
        low, high = (np.broadcast_to(np.asarray(found[k], float), shape).astype(dtype) for k in ("low", "high"))
        return Box(low, high, shape, dtype)
    return {"Discrete": Discrete, "MultiDiscrete": MultiDiscrete}[kind](**found, dtype=dtype)


def _limit(values: np.ndarray) -> Any:
    """One number where all are alike. Numbers as text: JSON has no infinity."""
    alike = values.size > 0 and bool((values == values.flat[0]).all())
    return np.asarray(values.flat[0] if alike else values, float).astype(str).tolist()
