"""The application `scout`: its commands, and what it says to a mistyped one."""

from collections.abc import Callable, Iterable
from inspect import BoundArguments

from cyclopts import App, Argument, CycloptsError, Parameter
from cyclopts.exceptions import MissingArgumentError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from scoutrl.cli.compare import compare, coupling
from scoutrl.cli.lists import algorithms, bounds, check, families
from scoutrl.cli.report import report
from scoutrl.cli.train import evaluate, export, train
from scoutrl.errors import ScoutError

COMMANDS = {
    command.__name__: command
    for command in (train, evaluate, report, export, compare, coupling, bounds, check, families, algorithms)
}
"""Name to function, in the order of the help."""
_HELP = """Scout trains agents that explore an unseen problem, then solve them.

Begin with: scout train dream distracting-bus

Help on a command: scout COMMAND --help"""


def _version() -> str:
    from scoutrl._version import installed_version

    return f"scout {installed_version()}"


def _not_empty(_: type, value: object) -> None:
    if value == "":
        raise ValueError("It must not be empty.")


app = App(
    "scout",
    _HELP,
    version=_version,
    version_flags=("--version", "version"),
    # Of an option given twice the last value counts; no option has a --no-… or --empty-… beside it.
    default_parameter=Parameter(allow_repeating=True, negative=(), validator=_not_empty),
    group_parameters="Options",
    help_format="plaintext",
    print_error=False,
    exit_on_error=False,
)
for _place, _command in enumerate(COMMANDS.values()):
    app.command(_command, sort_key=_place)


def parse(words: Iterable[str]) -> tuple[Callable[..., None], BoundArguments]:
    """The function that does what `words` (without the program's name) say, and its arguments.

    Without words, or with a word that asks for help, the function prints the help.

    Raises:
        ScoutError: a mistake of the user's, in one line.
    """
    try:
        command, arguments, _ = app.parse_args(_one_setting_each(words))
    except CycloptsError as error:
        raise _in_one_line(error) from error
    return command, arguments


def _one_setting_each(words: Iterable[str]) -> list[str]:
    """`--set a=1 b=2` as `--set a=1 --set b=2`.

    Cyclopts would give an option of several values all words up to the next option, but a word without `=` after
    settings is what the command is about: `scout train --set a=1 b=2 dream bus`.
    """
    found: list[str] = []
    for word in words:
        after_a_setting = found[-2:-1] == ["--set"] or (found and found[-1].startswith("--set="))
        if after_a_setting and "=" in word and not word.startswith("-"):
            found.append("--set")
        found.append(word)
    return found


def _in_one_line(error: CycloptsError) -> ScoutError:
    from scoutrl.plugins import unknown

    command = error.command_chain[0] if error.command_chain else ""
    match error:
        case UnknownCommandError(unused_tokens=[word, *_]):
            kind = "option" if word.startswith("-") else "command"
            return unknown(kind, word, [*COMMANDS, "--help", "--version"], advice="`scout --help` explains them")
        case UnknownOptionError():
            name = (error.token.keyword or error.token.value).partition("=")[0]
            known = [name for argument in error.argument_collection for name in argument.names if name.startswith("--")]
            advice = f"`scout {command} --help` lists them"
            return unknown("option", name, [*known, "--help"], of=f"`scout {command}`", advice=advice)
        case UnusedCliTokensError(unused_tokens=[word, *_]):
            return ScoutError(f"{word!r} is one word too many: {_form(command)} [options]")
        case MissingArgumentError(argument=Argument() as argument, keyword=None):
            return ScoutError(f"{argument.name} is missing: {_form(command)}")
        case MissingArgumentError(argument=Argument() as argument):
            return ScoutError(f"{argument.name} needs a value: {_spelled(argument)}")
    return ScoutError(" ".join(str(error).split()))


def _form(command: str) -> str:
    """The command with all that it cannot do without."""
    wanted = [_spelled(argument) for argument in app[command].assemble_argument_collection() if argument.required]
    return " ".join(["scout", command, *wanted])


def _spelled(argument: Argument) -> str:
    return f"{argument.name} {argument.parameter.metavar}" if argument.name.startswith("-") else argument.name
