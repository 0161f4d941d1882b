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

FAMILIES = {"arms": (Arms(), 2, 200_000), "half-disc": (HalfDisc(), 3, 600_000)}
"""Name to family, exploration episodes (fewer than it takes to know for sure), and environment steps of training."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train with defaults, and measure."""

    families: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = tuple(FAMILIES)
    """On which."""
    algorithm: str = "pearl"
    """Which algorithm."""
    seeds: int = 3
    """How many."""
    first: int = 0
    """The first seed."""
    steps: int | None = None
    """Environment steps of each; those of the family without."""
    smoke: bool = False
    """One seed for a moment; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and add to the result that is there."""
    if options.smoke:
        options = dataclasses.replace(options, families=("arms",), seeds=1, steps=2000)
    name = "posterior-sampling" + (f"-{options.algorithm}" if options.algorithm != "pearl" else "")
    setup = {"benchmark": "posterior_sampling", "algorithm": options.algorithm}
    there = {} if options.smoke else earlier(name, setup)
    found = {one["family"]: one for one in there.get("families", [])}
    seeds = range(options.first, options.first + options.seeds)
    for family in options.families:
        env, explorations, usual = FAMILIES[family]
        steps = options.steps or usual
        case = Case(
            benchmark="posterior_sampling",
            algorithm=options.algorithm,
            env=env,
            steps=steps,
            settings={"exploration_episodes": explorations},
        )
        before = found.get(family, {}).get("steps", steps)
        if before != steps:
            raise SystemExit(
                f"{name} has seeds of {before:,} steps on {family}: give --steps {before}, or move it away."
            )
        exact = {"family": family, "exploration_episodes": explorations, "line": line(env, explorations)}
        found[family] = exact | {"steps": steps} | case.measured(seeds, found.get(family, {}))
        keep(name, setup | {"families": list(found.values())}, options.smoke)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
