"""The directory of a comparison. Its family and kind of budget are fixed; algorithms, seeds and steps may be added."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from scoutrl.decoding import decode
from scoutrl.engines.seeds import SeedGroup
from scoutrl.errors import ScoutError
from scoutrl.results.comparison import Budget
from scoutrl.runs.begun import to_continue
from scoutrl.runs.config import completed
from scoutrl.runs.run_dir import COMPARISON, CONFIG, RunDirectory, refuse_other


@dataclasses.dataclass(frozen=True)
class _Described:
    """What the config.json of a comparison says."""

    family: str
    """Name of the family."""
    family_options: dict[str, Any]
    """Its options."""
    budget: Budget
    """The training of each seed."""
    algorithms: dict[str, dict[str, Any]]
    """What is the same for all seeds of an algorithm, by the label of the algorithm."""


def describe_comparison(directory: RunDirectory, groups: Sequence[SeedGroup], budget: Budget) -> None:
    """Write the comparison to the config.json of its directory, or check that it is the one described there.

    Raises:
        ScoutError: the directory holds something else, or a comparison over a longer budget.
    """
    config = groups[0].config
    here = _Described(config.family, config.family_options, budget, {group.label: _identity(group) for group in groups})
    there = directory.read_config()
    if there is not None and to_continue(directory.path, there, COMPARISON):
        here = _continued(directory, there["comparison"], here)
    content = {"comparison": dataclasses.asdict(here)}
    directory.write_config(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _continued(directory: RunDirectory, content: object, here: _Described) -> _Described:
    """The comparison `here`, with the algorithms besides that its config.json has in `content`."""
    try:
        there = decode(content, _Described, "the configuration of a comparison")
    except ScoutError as error:
        raise ScoutError(f"{directory.path / CONFIG}: {error} Put it right, or name another --out.") from error
    _refuse_shorter(directory, there.budget, here.budget)
    refuse_other(directory.path, _family(there), _family(here), "comparison")
    for label in there.algorithms.keys() & here.algorithms.keys():
        new = here.algorithms[label]
        refuse_other(directory.path, {label: completed(there.algorithms[label], new)}, {label: new}, "comparison")
    return dataclasses.replace(here, algorithms=there.algorithms | here.algorithms)


def _family(described: _Described) -> dict[str, Any]:
    return {"family": described.family, "family_options": described.family_options}


def _identity(group: SeedGroup) -> dict[str, Any]:
    return {name: value for name, value in group.config.identity().items() if name != "seed"}


def _refuse_shorter(directory: RunDirectory, there: Budget, here: Budget) -> None:
    """Refuse a budget below that of the runs which are there: runs can be made longer, but not shorter."""
    if there.steps is not None and here.steps is not None and there.steps <= here.steps:
        return
    if there.minutes is not None and here.minutes is not None and there.minutes <= here.minutes:
        return
    raise ScoutError(
        f"{directory.path} holds a comparison over {there}, which {here} cannot go on with; "
        "ask for as much or more, or name another directory with --out DIR."
    )
