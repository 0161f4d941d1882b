"""The settings of an algorithm: its own fields and those of its learner, under plain names."""

import ast
import contextlib
import dataclasses
import functools
import inspect
import textwrap
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from scoutrl.algorithms.base import Algorithm
from scoutrl.errors import ScoutError
from scoutrl.plugins import unknown
from scoutrl.rl.learner import PolicyLearner
from scoutrl.rl.registry import find_learner, learners

LEARNER = "learner"
"""The setting that chooses the learner, by name."""
REPLAYED = "replayed"
"""Metadata key of a field that only counts when learning from replayed trials."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """One hyper-parameter."""

    name: str
    """As after `--set`."""
    annotation: Any
    """What it may be."""
    default: Any
    """Without a preset and without `--set`."""
    meaning: str
    """Its docstring, on one line."""


def settings_of(algorithm: type[Algorithm], learner: str | None = None) -> dict[str, Setting]:
    """Name to setting of all that counts with a learner, the algorithm's own first; None is the default learner.

    Raises:
        ScoutError: no such learner, or one that the algorithm cannot choose.
    """
    own = _fields(algorithm)
    if LEARNER not in own:
        if learner is not None:
            raise ScoutError(f"{algorithm.__name__} has no choice of learners: leave out learner={learner}")
        return {name: setting for name, (setting, _) in own.items()}
    chosen, default = _learner(own[LEARNER][0].default, learner)
    found = {
        name: setting
        for name, (setting, metadata) in own.items()
        if not (chosen.on_policy and metadata.get(REPLAYED)) and name != LEARNER
    }
    choice = dataclasses.replace(own[LEARNER][0], annotation=str, default=default)
    return {LEARNER: choice} | found | {name: setting for name, (setting, _) in _fields(chosen).items()}


def by_other_learners(algorithm: type[Algorithm]) -> dict[str, dict[str, Setting]]:
    """For each learner that the algorithm goes with beside its default: name to setting of what counts with it only."""
    usual = settings_of(algorithm)
    if LEARNER not in usual:
        return {}
    found = {}
    for name in learners():
        # An algorithm that cannot do with a learner refuses it when it is made.
        with contextlib.suppress(ScoutError):
            build(algorithm, {LEARNER: name})
            known = settings_of(algorithm, name)
            found[name] = {other: setting for other, setting in known.items() if other not in usual}
    found.pop(usual[LEARNER].default, None)
    return found


def unused(algorithm: type[Algorithm], name: str, learner: str) -> str:
    """Why a setting does nothing with a learner; empty if nobody has a setting of that name."""
    if name in _fields(algorithm):
        return f"{name} is for learning from replayed trials, and learner={learner} learns from fresh ones"
    others = [other for other in learners() if other != learner and name in _fields(find_learner(other))]
    return f"{name} is a setting of learner={others[0]}, and the learner is {learner}" if others else ""


def check_used(
    algorithm: type[Algorithm], names: Iterable[str], of: str, learner: str | None, others: Iterable[str] = ()
) -> None:
    """Refuse settings that do not exist, or that do nothing with the learner chosen.

    Args:
        algorithm: its class.
        names: the settings.
        of: name of the algorithm, for messages.
        learner: the learner chosen; None is the default.
        others: names to mention that are set elsewhere.

    Raises:
        ScoutError: names the first such setting.
    """
    known = settings_of(algorithm, learner)
    for name in names:
        if name in known:
            continue
        why = unused(algorithm, name, known[LEARNER].default) if LEARNER in known else ""
        if why:
            raise ScoutError(f"{why}, so that it would do nothing: leave it out")
        raise unknown("setting", name, [*known, *others], of=of)


def build(algorithm: type[Algorithm], values: Mapping[str, Any]) -> Algorithm:
    """An algorithm from values of the right types by name (`settings_of`); those left out are defaults."""
    values = dict(values)
    own = _fields(algorithm)
    if LEARNER not in own:
        return algorithm(**values)
    chosen, _ = _learner(own[LEARNER][0].default, values.pop(LEARNER, None))
    brought = {name: values.pop(name) for name in _fields(chosen) if name in values}
    return algorithm(learner=chosen(**brought), **values)  # pyright: ignore[reportCallIssue]


def values_of(algorithm: Algorithm, learner: str | None) -> dict[str, Any]:
    """The value of every setting of an algorithm, by name."""
    own, known = _fields(type(algorithm)), settings_of(type(algorithm), learner)
    brought = getattr(algorithm, LEARNER, None)
    found = {name: getattr(algorithm if name in own else brought, name) for name in known}
    return found | ({LEARNER: known[LEARNER].default} if LEARNER in known else {})


def _learner(default: PolicyLearner, name: str | None) -> tuple[type[PolicyLearner], str]:
    """The class of a learner and its name; that of `default` without one."""
    return (type(default), default.name) if name is None else (find_learner(name), name)


def _fields(made: type) -> dict[str, tuple[Setting, Mapping[str, Any]]]:
    """Name to setting and metadata of a class's fields, in their order."""
    meanings, hints = {}, _hints(made)
    for base in reversed(made.__mro__):
        meanings |= _docstrings(base)
    return {
        field.name: (
            Setting(field.name, hints.get(field.name, Any), _default(field), meanings.get(field.name, "")),
            field.metadata,
        )
        for field in dataclasses.fields(made)
        if field.init
    }


def _hints(made: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(made)
    except Exception:  # annotations of a user's own class that cannot be read
        return {}


def _default(field: dataclasses.Field) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else "(no default)"


@functools.cache
def _docstrings(made: type) -> Mapping[str, str]:
    """Name to docstring of the annotated attributes in the source of a class; empty where there is no source."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(made))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    assert isinstance(body, ast.ClassDef)
    found = {}
    for line, after in zip(body.body, body.body[1:], strict=False):
        match line, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found
