"""From the words of a command line to a command.

Tyro makes commands and help out of the dataclasses in `commands.py`. Its messages about mistakes fill boxes, so the
words are looked through first and a mistake is told in one line; what reaches Tyro is sound.
"""

import contextlib
import dataclasses
import math
import sys
import typing
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NoReturn, cast

import tyro

from scoutrl.commands import COMMANDS, DESCRIPTION, Command
from scoutrl.errors import ScoutError
from scoutrl.plugins import unknown
from scoutrl.runs.settings import counted

_HELP = ("-h", "--help")
_POSITIONAL = typing.get_args(tyro.conf.Positional[int])[1]


@dataclasses.dataclass(frozen=True)
class _Option:
    """One thing that a command takes."""

    name: str
    """As typed: `--steps`, or `FAMILY` where it has no dashes."""
    kind: Any
    """int, float, str, bool, tuple, or a Literal."""
    positional: bool
    required: bool
    member: Any = str
    """Of what a tuple is one."""
    placeholder: str = ""
    """What stands for its value in help."""

    @property
    def form(self) -> str:
        """As help writes it."""
        return self.name if self.positional else f"{self.name} {self.placeholder}"


def parse(words: Sequence[str]) -> Command:
    """The command that `words` (without the program's name) say.

    Raises:
        ScoutError: a mistake, in one line.
        SystemExit: help was asked for and has been printed.
    """
    if not words:
        _help([], exit_code=2)
    if words[0] in _HELP:
        _help([])
    if words[0] not in COMMANDS:
        kind = "option" if words[0].startswith("-") else "command"
        raise unknown(kind, words[0], [*COMMANDS, "--help", "--version"], advice="`scout --help` explains them")
    if any(word in _HELP for word in words[1:]):
        _help([words[0]])
    return _tyro([words[0], *_checked(words[0], words[1:])])


def _tyro(words: list[str]) -> Command:
    commands = tuple(Annotated[made, tyro.conf.subcommand(name, prefix_name=False)] for name, made in COMMANDS.items())
    union: Any = typing.Union[commands]  # noqa: UP007
    plain = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff, tyro.conf.HelptextFromCommentsOff)
    return cast(Command, tyro.cli(union, prog="scout", description=DESCRIPTION, args=words, config=plain))


def _help(command: list[str], exit_code: int = 0) -> NoReturn:
    with contextlib.suppress(SystemExit):
        _tyro([*command, "--help"])
    sys.exit(exit_code)


def _checked(command: str, words: Sequence[str]) -> list[str]:
    """The words after a command in the form in which nothing can be mistaken: `--name=value`, numbers in digits."""
    options = _options(COMMANDS[command])
    values, positionals = _gathered(command, options, words)
    checked = []
    for name, given in values.items():
        kind = options[name].kind
        if kind is bool:
            checked.append(name)
        elif kind is tuple:
            checked += [name, *(_value(name, options[name].member, value) for value in given)]
        else:
            checked += [name, _value(name, kind, given[-1])]
    wanted = [option for option in options.values() if option.positional]
    absent = [option for name, option in options.items() if not option.positional and name not in values]
    missing = [option.name for option in [*wanted[len(positionals) :], *absent] if option.required]
    form = " ".join(["scout", command, *(option.form for option in options.values() if option.required)])
    if missing:
        raise ScoutError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: {form}")
    if len(positionals) > len(wanted):
        raise ScoutError(f"{positionals[len(wanted)]!r} is one word too many: {form} [options]")
    return [*positionals, *checked]


def _gathered(
    command: str, options: dict[str, _Option], words: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """The values of each option given, and the words that belong to none."""
    values: dict[str, list[str]] = {}
    positionals = []
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            positionals.append(word)
            continue
        name, equals, value = word.partition("=")
        known = [name for name, option in options.items() if not option.positional]
        if name.replace("_", "-") not in known:
            advice = f"`scout {command} --help` lists them"
            raise unknown("option", name, [*known, "--help"], of=f"`scout {command}`", advice=advice)
        name = name.replace("_", "-")
        values.setdefault(name, []).extend(_taken(options[name], [value] if equals else None, left))
    return values, positionals


def _taken(option: _Option, given: list[str] | None, left: list[str]) -> list[str]:
    """The values of an option: given after `=`, or taken away from the words that are `left`."""
    name, kind = option.name, option.kind
    if kind is bool:
        if given:
            raise ScoutError(f"{name} takes no value; leave out {given[0]!r}.")
        return []
    given = given or []
    while left and not left[0].startswith("--") and (not given or (kind is tuple and _another(option, left[0]))):
        given.append(left.pop(0))
    if not given:
        example = {"--set": "trials=16", "--algorithms": "dream"}.get(name, "1" if kind in (int, float) else "…")
        raise ScoutError(f"{name} needs a value, for example {name} {example}")
    return given


def _another(option: _Option, word: str) -> bool:
    """Whether a word after the first value of an option of several is one more of them."""
    # A word without `=` after --set may be what the command is about: FAMILY, say.
    return option.name != "--set" or "=" in word


def _value(name: str, kind: Any, text: str) -> str:
    if kind is int:
        return str(counted(name, text, 0 if name == "--seed" else 1))
    if kind is float:
        return _amount(name, text)
    if typing.get_origin(kind) is Literal and text not in typing.get_args(kind):
        raise ScoutError(f"{name} takes {' or '.join(typing.get_args(kind))}; it cannot be {text!r}.")
    if not text:
        raise ScoutError(f"{name} needs a value that is not empty.")
    return text


def _amount(name: str, text: str) -> str:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return text
    raise ScoutError(f"{name} must be a number above 0, for example {name} 2.5; {text!r} is not.")


def _options(made: type) -> dict[str, _Option]:
    """What a command takes, by name; positionals in their order."""
    found = {}
    hints = typing.get_type_hints(made, include_extras=True)
    for field in dataclasses.fields(made):
        kind, member, marks = _unwrapped(hints[field.name])
        positional = _POSITIONAL in marks
        name = field.name.upper() if positional else "--" + field.name.replace("_", "-")
        name = "--set" if field.name == "sets" else name
        required = field.default is dataclasses.MISSING
        found[name] = _Option(name, kind, positional, required, member, _placeholder(marks))
    return found


def _placeholder(marks: tuple[Any, ...]) -> str:
    return next((str(mark.metavar) for mark in marks if getattr(mark, "metavar", None)), "…")


def _unwrapped(hint: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """The type within `Annotated` and `… | None`, of what it is a tuple, and the marks on it."""
    marks: tuple[Any, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, marks = typing.get_args(hint)[0], typing.get_args(hint)[1:]
    inner = [choice for choice in typing.get_args(hint) if choice is not type(None)]
    if type(None) in typing.get_args(hint):
        hint = inner[0]
    if typing.get_origin(hint) is tuple:
        return tuple, typing.get_args(hint)[0], marks
    return hint, str, marks
