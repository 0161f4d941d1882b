"""What adapters have in common: how one environment of a suite is stepped, and copies of it with other values."""

import abc
import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs.base import Step
from scoutrl.errors import ScoutError

Values = Mapping[str, Any]
"""What is different in a problem: arrays, or trees of them, by the path of the field that they replace."""
_INNER = ("env", "_env")
"""Attributes in which wrappers keep what they wrap."""
_UNFIT = ("autoreset", "vmap", "vector")
"""Wrappers whose names hold one of these do not step one single environment, or begin episodes by themselves."""


class Suite(abc.ABC):
    """Environments of one shape, without any state of its own."""

    @abc.abstractmethod
    def reset(self, values: Values, key: PRNGKeyArray) -> tuple[Any, Any]:
        """The state that an episode of a problem begins with, and the suite's own observation."""

    @abc.abstractmethod
    def step(self, values: Values, state: Any, action: Any, key: PRNGKeyArray) -> tuple[Any, Step]:
        """Do one of the suite's own actions; the suite's own observation is in the `Step`."""

    @abc.abstractmethod
    def spaces(self) -> tuple[Any, Any]:
        """The suite's own spaces of observations and of actions; None where it does not say."""


def replaced(thing: Any, path: str, value: Any) -> Any:
    """A copy of parameters or of an environment with another value at `path`, such as "sys.gravity".

    Raises:
        ScoutError: there is no such field, not in what a wrapper wraps either.
    """
    name, _, rest = path.partition(".")
    fields = _fields(thing)
    if name not in fields:
        inner = next((one for one in _INNER if one in fields), None)
        if inner is None:
            raise ScoutError(f"{type(thing).__name__} has no field {name!r}; it has {', '.join(sorted(fields))}.")
        name, value = inner, replaced(getattr(thing, inner), path, value)
    elif rest:
        value = replaced(thing[name] if isinstance(thing, Mapping) else getattr(thing, name), rest, value)
    if isinstance(thing, Mapping):
        return {**thing, name: value}
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return dataclasses.replace(thing, **{name: value})
    copied = copy.copy(thing)
    object.__setattr__(copied, name, value)
    return copied


def with_values(thing: Any, values: Values) -> Any:
    """A copy with all of the values."""
    for path, value in values.items():
        thing = replaced(thing, path, value)
    return thing


def looked_up(thing: Any, path: str) -> Any:
    """What is at `path`; None if there is nothing."""
    for name in path.split("."):
        thing = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
    return thing


def refuse_wrappers(env: Any) -> None:
    """See that an environment is a single one that does not reset by itself.

    Raises:
        ScoutError: a wrapper says otherwise by its name.
    """
    for one in _chain(env):
        name = type(one).__name__
        if any(word in name.lower() for word in _UNFIT):
            raise ScoutError(f"hand over one single environment that does not reset by itself, without {name}.")


def steps_of(*things: Any, names: tuple[str, ...]) -> int | None:
    """The first whole number of steps that parameters or an environment have under one of the names."""
    for thing in things:
        for name in names:
            found = getattr(thing, name, None)
            if isinstance(found, int | np.integer) and not isinstance(found, bool) and found >= 1:
                return int(found)
    return None


def called(function: Any, *arguments: Any) -> Any:
    """What a method returns, or a property of the same name is; None where there is neither."""
    return function(*arguments) if callable(function) else function


def _chain(env: Any) -> Iterator[Any]:
    while env is not None:
        yield env
        env = next((vars(env)[one] for one in _INNER if one in getattr(env, "__dict__", {})), None)


def _fields(thing: Any) -> set[str]:
    if isinstance(thing, Mapping):
        return set(thing)
    if dataclasses.is_dataclass(thing):
        return {field.name for field in dataclasses.fields(thing)}
    return set(getattr(thing, "__dict__", {}))
