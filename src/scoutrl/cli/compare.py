"""`scout compare` and `scout coupling`."""

from typing import Annotated

from cyclopts import Parameter

from scoutrl.cli.engine import HERE, Where
from scoutrl.cli.options import (
    Amount,
    Count,
    Counts,
    Directory,
    Flag,
    Formats,
    Problems,
    Settings,
    Variants,
    with_problems,
)
from scoutrl.cli.printing import print_json
from scoutrl.errors import ScoutError


def compare(
    family: str,
    /,
    *,
    algorithms: Variants,
    out: Directory,
    seeds: Annotated[Count, Parameter(metavar="K")] = 5,
    steps: Count | None = None,
    minutes: Amount | None = None,
    trials: Count = 1000,
    sets: Settings = (),
    where: Where = HERE,
    problems: Problems = None,
    horizon: Count | None = None,
    export: Formats = (),
    json: Flag = False,
) -> None:
    """Train algorithms on one family with the same budget and compare what they earn on the same unseen problems.

    Stopped, the same command goes on; runs that are finished are used again.

    Writes results.json, learning curves and bar charts.

    Example: scout compare distracting-bus --algorithms dream dream,bottleneck=none --seeds 5 --out runs/compared

    Args:
        family: Name of a family of environments (see `scout families`), package.module:name for your own, or gym:ID for
            one of Gymnasium's environments.
        algorithms: Algorithms, or variants with settings after commas: dream,bottleneck=none; preset=NAME is a preset.
        out: Directory of the comparison; the runs of each algorithm are in a directory of its own within it.
        seeds: Independent seeds of each algorithm: 0, 1, ... The intervals are over them.
        steps: Environment steps of every seed; without it, the most that a preset of one of the algorithms says.
        minutes: Minutes of training of every seed in place of --steps; compilation does not count.
        trials: Trials of each seed's agent in the final evaluation.
        sets: Change settings of all algorithms or, as env.NAME, of the family.
        where: Machines that the seeds are trained on.
        problems: For gym:ID, a file with the problems: a list of keyword arguments as JSON.
        horizon: For gym:ID, the most steps of an episode; without it, what the environment was registered with.
        export: Write the table as table.tex, table.csv or table.md, and the figures as PDF or SVG, beside results.json.
        json: Print the content of results.json and nothing else.
    """
    from scoutrl.api import compare as compare_algorithms
    from scoutrl.reporting.table import show

    how = {"steps": steps, "minutes": minutes, "trials": trials, "settings": with_problems(sets, problems, horizon)}
    found = compare_algorithms(family, algorithms, seeds, out, **how, engine=where.meant(), formats=export)
    show(found)
    if json:
        print_json(found.to_dict())
    else:
        print(f"Compared: {found.path / 'results.json'}, with plots beside it  (watch it: scout report {found.path})")
    if all(one.final is None for one in found.algorithms):
        raise ScoutError(f"all seeds failed, so there is nothing to compare; the first: {found.failures[0]}")


def coupling(
    *,
    out: Directory,
    algorithms: Variants = ("dream", "e-rl2"),
    sizes: Counts = (4, 8, 16, 32, 64),
    seeds: Annotated[Count, Parameter(metavar="K")] = 10,
    steps: Count | None = None,
    json: Flag = False,
) -> None:
    """Measure the coupling problem: samples to the optimum against the number of levers, in the family lever.

    Stopped, the same command goes on. Writes results.json and a plot with the rates of the theory.

    Example: scout coupling --algorithms dream e-rl2 --out runs/coupling

    Args:
        out: Directory for runs and results.
        algorithms: What to compare, as for `scout compare`.
        sizes: Numbers of levers.
        seeds: Independent seeds at each size.
        steps: Environment steps of every seed at the largest size; a smaller size gets a share, by the square.
        json: Print the content of results.json and nothing else.
    """
    from scoutrl.api import coupling as measure
    from scoutrl.reporting.table import show_coupling

    found = measure(out, algorithms, sizes, seeds, steps=steps)
    show_coupling(found)
    if json:
        print_json(found.to_dict())
    else:
        print(f"Measured: {found.path / 'results.json'}, with a plot beside it.")
