"""Values of settings: read from text, checked against the annotation of what they set."""

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union

from scoutrl.errors import ScoutError
from scoutrl.plugins import unknown

Annotation = Any
"""What a field or an argument is annotated with."""

_EXPECTED = {
    int: ("a whole number", "16"),
    float: ("a number", "0.001"),
    bool: ("true or false", "true"),
    str: ("a text", "abc"),
    types.NoneType: ("none", "none"),
}
_TRUTH = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


def options_of(made: Callable) -> dict[str, Annotation]:
    """Name to annotation of all that a class or function takes; without an annotation, the type of the default."""
    try:
        hints = typing.get_type_hints(made.__init__ if inspect.isclass(made) else made)
    except Exception:  # annotations of a user's own class that cannot be read; the defaults tell enough
        hints = {}
    parameters = inspect.signature(made).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    guessed = {p.name: Any if p.default in (p.empty, None) else type(p.default) for p in named}
    return {name: hints.get(name, guess) for name, guess in guessed.items()}


def assignments(sets: Iterable[str] | Mapping[str, Any]) -> dict[str, Any]:
    """`name=value` texts, or a mapping, as a mapping; of a name said twice the last counts.

    Raises:
        ScoutError: a text without `=`, or without a name.
    """
    if isinstance(sets, Mapping):
        return dict(sets)
    found = {}
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ScoutError(
                f"--set takes name=value, for example --set trials_per_iteration=16; {text!r} is not of that form."
            )
        found[name.strip()] = value.strip()
    return found


def fit(name: str, value: Any, annotation: Annotation) -> Any:
    """`value` (text is read) as something JSON can hold and that `annotation` admits.

    Raises:
        ScoutError: it is of another type; says which is expected.
    """
    for choice in _choices(annotation):
        try:
            return _fit(value, choice)
        except (ValueError, TypeError, OverflowError):
            continue
    what, example = _expected(annotation)
    raise ScoutError(f"{name} takes {what}, for example --set {name}={example}; {value!r} is not that.")


def fit_all(
    values: Mapping[str, Any],
    known: Mapping[str, Annotation],
    of: str,
    others: Iterable[str] = (),
    prefix: str = "",
) -> dict[str, Any]:
    """`fit` on every value.

    Args:
        values: name to value.
        known: name to annotation.
        of: whose settings they are, for messages.
        others: names to mention that are set elsewhere.
        prefix: stands before each name where it is typed.

    Raises:
        ScoutError: a name that is not `known` (with the nearest one), or a value of another type.
    """
    for name in values:
        if name not in known:
            raise unknown("setting", prefix + name, [prefix + k for k in known] + list(others), of=of)
    return {name: fit(prefix + name, value, known[name]) for name, value in values.items()}


def _choices(annotation: Annotation) -> list[Annotation]:
    if typing.get_origin(annotation) not in (Union, types.UnionType):
        return [annotation]
    # None is tried first, or "none" would be read as a text.
    return sorted(typing.get_args(annotation), key=lambda choice: choice is not types.NoneType)


def _fit(value: Any, annotation: Annotation) -> Any:
    """As `fit` for an annotation that is no union; raises ValueError, TypeError or OverflowError."""
    if typing.get_origin(annotation) is Literal:
        options = typing.get_args(annotation)
        return options[[str(option) for option in options].index(str(value))]
    if typing.get_origin(annotation) in (tuple, list):
        members = value.strip("()[] ").split(",") if isinstance(value, str) else value
        return [_fit(member, typing.get_args(annotation)[0]) for member in members if member != ""]
    reader = {int: whole, float: _number, bool: _truth, str: _text, types.NoneType: _none}.get(annotation)
    return reader(value) if reader else value


def whole(value: Any) -> int:
    """An int from 3, 3.0, "3", "3_000" or "3e3"; else ValueError, TypeError or OverflowError."""
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, str) and value.strip().lstrip("+-").replace("_", "").isdigit():
        return int(value)
    if float(value) != int(float(value)):
        raise ValueError(value)
    return int(float(value))


def counted(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """`value` as a whole number within limits.

    Raises:
        ScoutError: it is none, or lies outside.
    """
    try:
        number = whole(value)
    except (ValueError, TypeError, OverflowError):
        raise ScoutError(f"{name} must be a whole number, for example 1000; {value!r} is not.") from None
    if number < least or (most is not None and number > most):
        raise ScoutError(f"{name} must be {least} or more{f', up to {most}' if most else ''}; it is {number}.")
    return number


def without_lists(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with lists, which JSON makes of tuples, as tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(float(value)):
        raise ValueError(value)
    return float(value)


def _truth(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _none(value: Any) -> None:
    if value is not None and str(value).lower() not in ("none", "null"):
        raise ValueError(value)


def _expected(annotation: Annotation) -> tuple[str, str]:
    """What is expected, in words, and an example."""
    if typing.get_origin(annotation) is Literal:
        options = [str(option) for option in typing.get_args(annotation)]
        return "one of " + ", ".join(options), options[0]
    if typing.get_origin(annotation) in (tuple, list):
        what, example = _expected(typing.get_args(annotation)[0])
        return f"several of {what}, with commas between", f"{example},{example}"
    if len(choices := _choices(annotation)) > 1:
        said = [_expected(choice) for choice in reversed(choices)]
        return ", or ".join(what for what, _ in said), said[0][1]
    return _EXPECTED.get(annotation, ("something else", "…"))
