"""Does PEARL do what it is made for? Beside exact posterior sampling, on two families where nothing else is of use.

    python -m benchmarks.posterior_sampling --seeds 3

A bandit over episodes, and a point robot on a grid that looks for a hidden place (`benchmarks/hidden.py`). The line is
what one draw an episode from the true posterior earns.
"""

import dataclasses
from typing import Annotated

from cyclopts import App, Parameter

from benchmarks.hidden import Arms, HalfDisc, line
from benchmarks.known import Case
from benchmarks.record import earlier, keep

FAMILIES = {"arms": (Arms(), 2), "half-disc": (HalfDisc(), 3)}
"""Name to family and exploration episodes: fewer than it takes to know for sure."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train with defaults, and measure."""

    families: tuple[str, ...] = tuple(FAMILIES)
    """On which."""
    algorithm: str = "pearl"
    """Which algorithm."""
    seeds: int = 3
    """How many."""
    first: int = 0
    """The first seed."""
    steps: int = 300_000
    """Environment steps of each."""
    smoke: bool = False
    """One seed for a moment; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and add to the result that is there."""
    if options.smoke:
        options = dataclasses.replace(options, families=("arms",), seeds=1, steps=2000)
    name = "posterior-sampling" + (f"-{options.algorithm}" if options.algorithm != "pearl" else "")
    setup = {"benchmark": "posterior_sampling", "algorithm": options.algorithm, "steps": options.steps}
    there = {} if options.smoke else earlier(name, setup)
    found = {one["family"]: one for one in there.get("families", [])}
    seeds = range(options.first, options.first + options.seeds)
    for family in options.families:
        env, explorations = FAMILIES[family]
        case = Case(
            benchmark="posterior_sampling",
            algorithm=options.algorithm,
            env=env,
            steps=options.steps,
            settings={"exploration_episodes": explorations},
        )
        exact = {"family": family, "exploration_episodes": explorations, "line": line(env, explorations)}
        found[family] = exact | case.measured(seeds, found.get(family, {}))
        keep(name, setup | {"families": list(found.values())}, options.smoke)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
