"""Does every algorithm learn what time is worth? Doors, one of which pays, and a wage for waiting.

    python -m benchmarks.doors --seeds 3

In each of four steps the agent waits, which pays 0.1, or opens one of two doors. The right door pays 1, the other
nothing, and either ends the episode. The best is to wait three times, then to open the right door: 1.3.
Who values what comes after the horizon as if it still counted waits for ever, and gets 0.4.
"""

import dataclasses
from typing import Annotated

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from cyclopts import App, Parameter
from gymnasium.spaces import Discrete, MultiDiscrete

from benchmarks.known import Case
from benchmarks.record import earlier, keep
from scoutrl import MetaEnv, ProblemSet, Spaces, Step
from scoutrl.algorithms.registry import algorithms

WAIT, HORIZON, BEST = 2, 4, 1.3


class Doors(MetaEnv):
    """The problem is which of two doors pays; what is seen is the time and what the last step paid, in tenths."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        """The same two problems to train on and to test on: there is nothing to generalise."""
        self.problems = ProblemSet([0, 1], [0, 1], [0, 1])
        self.spaces = Spaces(MultiDiscrete([HORIZON + 1, 11]), Discrete(3))
        self.horizon = HORIZON

    def reset(self, problem, key):
        """Begin."""
        return (problem[0], jnp.int32(0)), jnp.zeros(2, jnp.int32)

    def goal(self, state):
        """There are none."""
        return None

    def step(self, state, action, key):
        """Wait, or open a door."""
        right, time = state
        opened = action != WAIT
        paid = jnp.where(opened, 10 * (action == right), 1)
        seen = jnp.stack([time + 1, paid]).astype(jnp.int32)
        return (right, jnp.minimum(time + 1, HORIZON)), Step(seen, 0.1 * paid, opened, jnp.bool_(False))

    def render(self, state):
        """Nothing to see."""
        return jnp.asarray(np.zeros((2, 2, 3), np.uint8))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train every algorithm with its defaults, and measure it."""

    algorithms: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ()
    """Which; all of them without any."""
    seeds: int = 3
    """How many."""
    first: int = 0
    """The first seed."""
    steps: int = 100_000
    """Environment steps of each."""
    smoke: bool = False
    """One algorithm for a moment; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and add to the result that is there."""
    if options.smoke:
        options = dataclasses.replace(options, algorithms=("dream",), seeds=1, steps=2000)
    setup = {"benchmark": "doors", "best": BEST, "steps": options.steps}
    there = {} if options.smoke else earlier("doors", setup)
    found = {one["algorithm"]: one for one in there.get("algorithms", [])}
    seeds = range(options.first, options.first + options.seeds)
    for name in options.algorithms or tuple(algorithms()):
        case = Case(benchmark="doors", algorithm=name, env=Doors(), steps=options.steps)
        found[name] = {"algorithm": name} | case.measured(seeds, found.get(name, {}))
        keep("doors", setup | {"algorithms": list(found.values())}, options.smoke)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
