"""The settings of an algorithm, as its class tells them: name, default, docstring."""

import ast
import dataclasses
import inspect
import textwrap
from typing import Any

from scoutrl.algorithms.base import Algorithm


@dataclasses.dataclass(frozen=True)
class Setting:
    """One hyper-parameter."""

    name: str
    """As after `--set`."""
    default: Any
    """Without a preset and without `--set`."""
    meaning: str
    """Its docstring, on one line."""


def settings_of(algorithm: type[Algorithm]) -> list[Setting]:
    """The settings of an algorithm in the order of its class."""
    meanings = {}
    for base in reversed(algorithm.__mro__):
        meanings |= _docstrings(base)
    fields = [field for field in dataclasses.fields(algorithm) if field.init]
    return [Setting(field.name, _default(field), meanings.get(field.name, "")) for field in fields]


def _default(field: dataclasses.Field) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else "(no default)"


def _docstrings(made: type) -> dict[str, str]:
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
