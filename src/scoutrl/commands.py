"""What the commands of `scout` take. Importing this is quick; the work is in `cli.py`."""

import dataclasses
from typing import Annotated, Literal

from tyro.conf import Positional, arg

_Words = Annotated[tuple[str, ...], arg(name="set", metavar="NAME=VALUE …", help_behavior_hint="(none by default)")]
_Algorithm = Annotated[str, arg(metavar="ALGORITHM")]
_Family = Annotated[str, arg(metavar="FAMILY")]
_Entries = Annotated[tuple[str, ...], arg(metavar="ALGORITHM …", help_behavior_hint="")]


@dataclasses.dataclass(frozen=True)
class Train:
    """Train an agent, or go on with a run that was stopped: the same command continues it.

    Example: scout train dream distracting-bus
    """

    algorithm: Positional[_Algorithm]
    """Name of an algorithm (see `scout algorithms`), or package.module:ClassName for one of your own."""
    family: Positional[_Family]
    """Name of a family of environments (see `scout families`), or package.module:ClassName for one of your own."""
    preset: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """Settings tuned for algorithm and family; without it, those called "default"."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """Seed of all randomness: the same seed gives the same numbers."""
    seeds: Annotated[int, arg(metavar="K")] = 1
    """Train K independent agents with the seeds N, N+1, ..."""
    steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Environment steps to train each agent for, such as 400_000 or 4e5; without it, what the preset says."""
    out: Annotated[str | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Directory of the run; without it, one under runs/ named after what is trained."""
    sets: _Words = ()
    """Change settings: hyper-parameters of the algorithm (`scout algorithms ALGORITHM` lists them), or env.NAME for an
    option of the family. Several may follow one another."""
    seeds_mode: Literal["auto", "processes", "vmap"] = "auto"
    """How several agents are trained: one process each, all in one program, or whichever suits the device."""


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure what a trained agent earns on problems it has never seen.

    Example: scout evaluate runs/dream-bus-seed0
    """

    run_dir: Positional[Annotated[str, arg(metavar="RUN_DIR")]]
    """Directory of a run, as `scout train` printed it; with several seeds in it, all are evaluated."""
    trials: Annotated[int, arg(metavar="N")] = 1000
    """Trials per agent: in each it meets one problem, explores it, then exploits it."""
    split: Literal["test", "train"] = "test"
    """Unseen problems (test), or those learnt on (train)."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """Seed of the evaluation's randomness."""
    env: Annotated[str | None, arg(metavar="FAMILY", help_behavior_hint="")] = None
    """Evaluate in another family with the same observations, actions and goals; without it, in the one trained on."""
    video: Annotated[str | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Write films of one trial each on some of the problems, at most eight, as GIFs into this directory; of several
    seeds the first is filmed."""
    json: bool = False
    """Print one JSON object and nothing else."""


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Compute what can be earned in a family: the best return, that of random actions, and others.

    Example: scout bounds distracting-bus
    """

    family: Positional[_Family]
    """Name of a family of environments (see `scout families`), or package.module:ClassName for one of your own."""
    sets: _Words = ()
    """Options of the family, as env.NAME=VALUE. Several may follow one another."""
    json: bool = False
    """Print one JSON object and nothing else."""


@dataclasses.dataclass(frozen=True)
class Families:
    """List the families of environments there are."""


@dataclasses.dataclass(frozen=True)
class Algorithms:
    """List the algorithms there are, or the settings of one."""

    algorithm: Positional[Annotated[str | None, arg(metavar="[ALGORITHM]", help_behavior_hint="")]] = None
    """Name of an algorithm, to list its settings."""


@dataclasses.dataclass(frozen=True)
class Compare:
    """Train algorithms on one family with the same budget and compare what they earn on the same unseen problems.

    Stopped, the same command goes on; runs that are finished are used again. Writes results.json, learning curves and a
    bar chart.

    Example: scout compare distracting-bus --algorithms dream dream,bottleneck=none --seeds 5 --out runs/compared
    """

    family: Positional[_Family]
    """Name of a family of environments (see `scout families`), or package.module:ClassName for one of your own."""
    algorithms: _Entries
    """What to compare: algorithms (see `scout algorithms`), or variants of them with settings after commas, such as
    dream,bottleneck=none; preset=NAME chooses a preset."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")]
    """Directory of the comparison; the runs of each algorithm are in a directory of its own within it."""
    seeds: Annotated[int, arg(metavar="K")] = 5
    """Independent seeds of each algorithm: 0, 1, ... The intervals are over them."""
    steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Environment steps of every seed; without it, the most that a preset of one of the algorithms says."""
    minutes: Annotated[float | None, arg(metavar="M", help_behavior_hint="")] = None
    """Minutes of training of every seed in place of --steps; compilation does not count."""
    trials: Annotated[int, arg(metavar="N")] = 1000
    """Trials of each seed's agent in the final evaluation."""
    sets: _Words = ()
    """Change settings of all algorithms, or options of the family as env.NAME. Several may follow one another."""
    json: bool = False
    """Print the content of results.json and nothing else."""


@dataclasses.dataclass(frozen=True)
class Coupling:
    """Measure the coupling problem: samples to the optimum against the number of levers, in the family lever.

    Stopped, the same command goes on. Writes results.json and a plot with the rates of the theory.

    Example: scout coupling --algorithms dream e-rl2 --out runs/coupling
    """

    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")]
    """Directory for runs and results."""
    algorithms: _Entries = ("dream", "e-rl2")
    """What to compare, as for `scout compare`; dream and e-rl2 unless others are named."""
    sizes: Annotated[tuple[int, ...], arg(metavar="N …", help_behavior_hint="")] = (4, 8, 16, 32, 64)
    """Numbers of levers; 4 8 16 32 64 unless others are named."""
    seeds: Annotated[int, arg(metavar="K")] = 10
    """Independent seeds at each size."""
    steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Environment steps of every seed at the largest size, a share of which by the square goes to each smaller one."""
    json: bool = False
    """Print the content of results.json and nothing else."""


Command = Train | Evaluate | Compare | Coupling | Bounds | Families | Algorithms
"""One line on the command line."""
COMMANDS: dict[str, type] = {
    "train": Train,
    "evaluate": Evaluate,
    "compare": Compare,
    "coupling": Coupling,
    "bounds": Bounds,
    "families": Families,
    "algorithms": Algorithms,
}
"""Name to what the command takes."""
DESCRIPTION = """Scout trains agents that explore an unseen problem, then solve it.

Begin with: scout train dream distracting-bus

Help on a command: scout COMMAND --help"""
"""Stands at the top of the help."""
