"""What long episodes cost, with a linear memory and with a GRU: `python -m benchmarks.horizon`.

RL², whose memory spans the whole trial, trains on a family whose episodes are as long as one likes. Speeds are medians
over chunks after a first one, by the processor's seconds as well as by the clock: other work on the machine leaves the
former nearly as they are.
"""

import dataclasses
import statistics
import time
from typing import Annotated, Any, final

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np
from cyclopts import App, Parameter
from jaxtyping import Array, Int, PRNGKeyArray, UInt8

from benchmarks.record import earlier, keep, print_status, provenance
from scoutrl.algorithms.recurrent.rl2 import Rl2
from scoutrl.envs import MetaEnv, Problem, ProblemSet, Spaces, Step
from scoutrl.nn.cell import MemoryCell
from scoutrl.training.program import TrainingProgram
from scoutrl.trials.sampler import DeviceSampler

CELLS: tuple[MemoryCell, ...] = ("linear", "gru")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure what long episodes cost."""

    horizons: tuple[int, ...] = (20, 100, 1000)
    """Steps of an episode; a trial has two."""
    chunks: int = 3
    """Chunks that the medians are over."""
    steps: int = 32_000
    """Environment steps of a chunk, at least."""
    trials_per_iteration: int = 8
    """Trials collected in one iteration."""
    updates_per_iteration: int = 4
    """Gradient steps in one iteration."""
    batch_size: int = 8
    """Trials in one gradient step."""
    size: int = 64
    """Width of all layers, and length of the memory."""
    smoke: bool = False
    """Run for a few seconds to see that everything works; nothing is kept."""


class CueState(eqx.Module):
    """What pays, and how many steps are done."""

    paying: Int[Array, ""]
    steps: Int[Array, ""]


@final
class Cue(MetaEnv):
    """Action i pays in problem i, a whole episode long; action 0 shows i for a moment."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self, horizon: int, size: int = 8):
        """Make episodes of `horizon` steps, with `size` problems and actions."""
        discrete = gymnasium.spaces.Discrete
        self.problems = ProblemSet(range(size), range(size), range(size), ["paying"])
        self.spaces = Spaces(discrete(size + 1), discrete(size))
        self.horizon = horizon

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[CueState, Array]:
        """Nothing is shown."""
        return CueState(problem[0], jnp.int32(0)), jnp.int32(0)

    def goal(self, state: CueState) -> None:
        """None."""

    def step(self, state: CueState, action: Array, key: PRNGKeyArray) -> tuple[CueState, Step]:
        """Pay for the action of the problem."""
        after = CueState(state.paying, state.steps + 1)
        reward = jnp.where(action == state.paying, 1 / self.horizon, 0.0)
        shown = jnp.where(action == 0, state.paying + 1, 0)
        return after, Step(shown, reward, jnp.bool_(False), after.steps >= self.horizon)

    def sample_goal(self, key: PRNGKeyArray) -> None:
        """None."""

    def render(self, state: CueState) -> UInt8[Array, "height width 3"]:
        """Nobody looks."""
        return jnp.zeros((8, 8, 3), jnp.uint8)


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, horizons=(5,), chunks=1, steps=80, size=8)
    found: dict[str, dict[str, Any]] = {}
    for horizon in options.horizons:
        of = {cell: measure(horizon, cell, options) for cell in CELLS}
        ratio = of["linear"]["steps_per_cpu_second"] / of["gru"]["steps_per_cpu_second"]
        print_status(f"{horizon} steps: a linear memory is {ratio:.2f} times as fast as a GRU")
        found[str(horizon)] = {**of, "ratio": ratio}
    setup = {name: value for name, value in dataclasses.asdict(options).items() if name not in ("horizons", "smoke")}
    setup = {"benchmark": "horizon", "algorithm": "rl2", **setup}
    before = {} if options.smoke else earlier("horizon", setup).get("horizons", {})
    keep("horizon", {**setup, "horizons": before | found}, options.smoke)


def measure(horizon: int, cell: MemoryCell, options: Options) -> dict[str, Any]:
    """How fast one kind of memory learns, and how long it takes to compile."""
    algorithm = Rl2(
        trials_per_iteration=options.trials_per_iteration,
        updates_per_iteration=options.updates_per_iteration,
        batch_size=options.batch_size,
        capacity=8 * options.trials_per_iteration,
        width=options.size,
        policy_width=options.size,
        memory_size=options.size,
        memory_cell=cell,
    )
    iterations = -(-options.steps // (2 * horizon * options.trials_per_iteration))
    program = TrainingProgram(DeviceSampler(Cue(horizon)), algorithm, 1, iterations, options.trials_per_iteration)
    began = time.process_time()
    program.compile()
    compiled = time.process_time() - began
    state, _ = program.advance(program.begin(0))
    seconds, cpu_seconds, steps = [], [], 2 * horizon * options.trials_per_iteration * iterations
    for _ in range(options.chunks):
        start, cpu_start = time.perf_counter(), time.process_time()
        state, _ = program.advance(state)
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
    speeds = {
        "steps_per_second": steps / statistics.median(seconds),
        "steps_per_cpu_second": steps / statistics.median(cpu_seconds),
        "compile_cpu_seconds": compiled,
    }
    print_status(f"{horizon} steps, {cell}: " + ", ".join(f"{name} {value:,.3g}" for name, value in speeds.items()))
    assert np.isfinite(list(speeds.values())).all()
    return speeds | {"provenance": provenance("horizon")}


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
