"""`scout bounds`, `scout families` and `scout algorithms`."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scoutrl.cli.options import Count, Flag, Problems, Settings, with_problems
from scoutrl.cli.printing import print_json, print_table
from scoutrl.cli.waiting import waiting

if TYPE_CHECKING:
    from scoutrl.algorithms.settings import Setting


def bounds(family: str, /, *, sets: Settings = (), json: Flag = False) -> None:
    """Compute what can be earned in a family, and after how many exploration steps the best return can be had.

    Example: scout bounds distracting-bus

    Args:
        family: Name of a family of environments (see `scout families`), or package.module:ClassName for your own.
        sets: Options of the family, as env.NAME=VALUE.
        json: Print one JSON object and nothing else.
    """
    from scoutrl.api import find_bounds
    from scoutrl.envs.problems import SPLITS
    from scoutrl.runs.families import build, checked_options, options_only

    env = build(family, checked_options(family, options_only(sets, "scout bounds")))
    with waiting(f"computing the bounds of {family}"):
        known = find_bounds(env)
    found = known.returns
    if json:
        lengths = {split: dataclasses.asdict(length) for split, length in known.lengths.items()}
        print_json({"family": family, **found, "shortest_exploration": lengths})
        return
    width = max(len(name) for name in found)
    print(f"{family}: mean return of an exploitation episode, by split")
    print(" " * width, *(f"{split:>10}" for split in SPLITS))
    for name, value in found.items():
        print(f"{name.replace('_', ' '):{width}}", *(f"{value[split]:10.3f}" for split in SPLITS))
    print("\nshortest exploration that suffices, in steps")
    for split, length in known.lengths.items():
        print(f"{split:{width}}  {length}")


def check(family: str, /, *, sets: Settings = (), problems: Problems = None, horizon: Count | None = None) -> None:
    """Play a family of your own for a moment, as training will, and say what should be put right.

    Example: scout check my_module:lakes

    Args:
        family: package.module:name of your own, or gym:ID for one of Gymnasium's environments.
        sets: Options of the family, as env.NAME=VALUE.
        problems: For gym:ID, a file with the problems: a list of keyword arguments as JSON.
        horizon: For gym:ID, the most steps of an episode; without it, what the environment was registered with.
    """
    from scoutrl.api import check as advice

    print(*advice(family, with_problems(sets, problems, horizon)), sep="\n")


def families() -> None:
    """List the families of environments there are."""
    from scoutrl.envs.registry import families as known

    print_table({name: entry.summary for name, entry in known().items()})


def algorithms(algorithm: str | None = None, /) -> None:
    """List the algorithms there are, or the settings of one.

    Args:
        algorithm: Name of an algorithm, to list its settings.
    """
    from scoutrl.algorithms import registry

    if algorithm is None:
        print_table({name: entry.summary for name, entry in registry.algorithms().items()})
        return
    from scoutrl.algorithms.settings import by_other_learners, settings_of

    found = registry.find(algorithm)
    _print_settings(settings_of(found))
    for learner, settings in by_other_learners(found).items():
        print(f"\nWith learner={learner}, in place of those that are for the other learner alone:")
        _print_settings(settings)


def _print_settings(settings: "Mapping[str, Setting]") -> None:
    for setting in settings.values():
        print(f"{setting.name} = {setting.default}\n    {setting.meaning}")
