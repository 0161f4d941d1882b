"""The directory of a comparison. Its family and kind of budget are fixed; algorithms, seeds and steps may be added."""

import json
from collections.abc import Sequence
from typing import Any

from scoutrl.engines.seeds import SeedGroup
from scoutrl.errors import ScoutError
from scoutrl.results.comparison import Budget
from scoutrl.runs.config import completed
from scoutrl.runs.record import has_work
from scoutrl.runs.run_dir import RunDirectory, refuse_other


def describe_comparison(directory: RunDirectory, groups: Sequence[SeedGroup], budget: Budget) -> None:
    """Write the comparison to the config.json of its directory, or check that it is the one described there.

    Raises:
        ScoutError: the directory holds something else, or a comparison over a longer budget.
    """
    here = {"family": groups[0].config.family, "family_options": groups[0].config.family_options}
    algorithms = {group.label: _identity(group) for group in groups}
    there = directory.read_config()
    if there is not None:
        if "comparison" not in there:
            raise ScoutError(f"{directory.path} holds a run and no comparison; name another directory with --out DIR.")
        if has_work(directory.path):
            algorithms = _continued(directory, there["comparison"], here, algorithms, budget)
    length = {"steps": budget.steps, "minutes": budget.minutes}
    content = {"comparison": here | {"budget": length, "algorithms": algorithms}}
    directory.write_config(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _continued(
    directory: RunDirectory, there: dict[str, Any], here: dict[str, Any], algorithms: dict[str, Any], budget: Budget
) -> dict[str, Any]:
    """All algorithms of the comparison described in `there`, to which those of the one in `here` are added."""
    known = there.pop("algorithms")
    _refuse_shorter(directory, Budget(**there.pop("budget")), budget)
    refuse_other(directory.path, there, here, "comparison")
    for label in known.keys() & algorithms.keys():
        old = completed(known[label], algorithms[label])
        refuse_other(directory.path, {label: old}, {label: algorithms[label]}, "comparison")
    return known | algorithms


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
