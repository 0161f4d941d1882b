"""What the options of `scout` take. Importing this is quick."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import Parameter, Token

from scoutrl.errors import ScoutError


def _count(_: type, tokens: Sequence[Token]) -> int:
    from scoutrl.runs.settings import counted

    return counted(str(tokens[0].keyword), tokens[0].value)


def _seed(_: type, tokens: Sequence[Token]) -> int:
    from scoutrl.runs.settings import counted

    return counted(str(tokens[0].keyword), tokens[0].value, 0)


def _amount(_: type, tokens: Sequence[Token]) -> float:
    name, text = tokens[0].keyword, tokens[0].value
    try:
        if 0 < float(text) < math.inf:
            return float(text)
    except ValueError:
        pass
    raise ScoutError(f"{name} must be a number above 0, for example {name} 2.5; {text!r} is not.")


def with_problems(sets: Sequence[str], problems: str | None, horizon: int | None) -> dict[str, object]:
    """Settings, with the problems in a file and the horizon among the options of the family."""
    from scoutrl.runs.settings import assignments

    found: dict[str, object] = assignments(sets)
    if problems is not None:
        from scoutrl.cli.problems import read_problems

        found["env.problems"] = read_problems(problems)
    return found if horizon is None else found | {"env.horizon": horizon}


def _with_spaces(values: Sequence[object]) -> str:
    return " ".join(map(str, values))


Count = Annotated[int, Parameter(converter=_count, metavar="N")]
"""A whole number from 1, such as 1000, 400_000 or 4e5."""
Seed = Annotated[int, Parameter(converter=_seed, metavar="N")]
"""A whole number from 0."""
Amount = Annotated[float, Parameter(converter=_amount, metavar="M")]
"""A finite number above 0."""
Counts = Annotated[tuple[Count, ...], Parameter(consume_multiple=1, metavar="N ...", show_default=_with_spaces)]
"""One or several counts."""
Variants = Annotated[tuple[str, ...], Parameter(consume_multiple=1, metavar="ALGORITHM ...", show_default=_with_spaces)]
"""Algorithms, or variants of them such as `dream,bottleneck=none`."""
Formats = Annotated[
    tuple[Literal["latex", "csv", "markdown", "svg", "pdf"], ...],
    Parameter(consume_multiple=1, metavar="FORMAT ...", show_default=False),
]
"""One or several of the formats of `reporting.export`."""
Settings = Annotated[tuple[str, ...], Parameter("--set", metavar="NAME=VALUE ...", show_default=False)]
"""Settings as NAME=VALUE."""
Problems = Annotated[str | None, Parameter(metavar="FILE")]
"""A file of JSON with the problems of a family `gym:ID`."""
Directory = Annotated[str, Parameter(metavar="DIR")]
"""Where to write."""
Flag = Annotated[bool, Parameter(show_default=False)]
"""Off unless it is given."""
