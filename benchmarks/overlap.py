"""What it saves to play while learning, `policy_lag=1`: `python -m benchmarks.overlap`.

DREAM trains on environments on the host whose step takes as long as one says, asleep (as who waits for another
program does) or at work, and on a family in JAX. Two processes, one without a lag and one with it, train a chunk each
in turn, so that what else the machine does meets both; a first chunk is not measured.
"""

import dataclasses
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from benchmarks.record import keep, print_status, provenance

FAMILIES = ("asleep", "at work", "distracting-bus")
LAGS = (0, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure what it saves to play while learning."""

    families: tuple[Literal["asleep", "at work", "distracting-bus"], ...] = FAMILIES
    """What is trained on."""
    milliseconds: float = 0.2
    """That a step on the host takes."""
    updates: int = 16
    """Gradient steps in an iteration on the host; in JAX they are those of the preset."""
    iterations: int = 10
    """In a chunk."""
    chunks: int = 7
    """That the medians are over."""
    smoke: bool = False
    """Run for a moment to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, families=("asleep",), updates=1, iterations=1, chunks=1)
    rows = [measure(family, options) for family in options.families]
    setup = {name: value for name, value in dataclasses.asdict(options).items() if name not in ("families", "smoke")}
    keep("overlap", {"benchmark": "overlap", "algorithm": "dream", **setup, "rows": rows}, options.smoke)


def measure(family: str, options: Options) -> dict[str, Any]:
    """Seconds of an iteration with each lag, chunk by chunk in turn."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in LAGS]
    trainings = [
        context.Process(target=train, args=(theirs, family, lag, options))
        for lag, (_, theirs) in zip(LAGS, pipes, strict=True)
    ]
    for training, (_, theirs) in zip(trainings, pipes, strict=True):
        training.start()
        theirs.close()  # that it is gone is seen then
    try:
        rounds = [[_chunk(ours) for ours, _ in pipes] for _ in range(options.chunks + 1)][1:]
    finally:
        for training in trainings:
            training.terminate()
            training.join()
    in_turn, at_once = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = at_once / in_turn
    print_status(f"{family}: {in_turn:.3f} s an iteration in turn, {at_once:.3f} s at once, {ratio:.2f} of it")
    said = {"in_turn": in_turn, "at_once": at_once, "ratio": ratio, "rounds": rounds}
    return {"family": family, **said, "provenance": provenance("overlap")}


def train(asked: Connection, family: str, lag: int, options: Options) -> None:
    """In a process of its own: a chunk each time it is asked for; tells the seconds of an iteration."""
    from scoutrl._platform import compute_in_own_thread, pin_threads

    pin_threads()
    if lag:
        compute_in_own_thread()
    from benchmarks.slow import slow
    from scoutrl.envs.registry import families
    from scoutrl.runs.config import make_algorithm, resolve
    from scoutrl.runs.families import build
    from scoutrl.training.compilation import use_compilation_cache
    from scoutrl.training.program import TrainingProgram
    from scoutrl.trials.sampler import sampler_for

    use_compilation_cache()
    env = build(family, {}) if family in families() else slow(family, options.milliseconds / 1000)
    sets = {} if family in families() else {"updates_per_iteration": options.updates}
    algorithm = make_algorithm(resolve("dream", env, sets=sets))
    program = TrainingProgram(sampler_for(env), algorithm, 1, options.iterations, 64, policy_lag=lag)
    program.compile()
    state = program.begin(0)
    while True:
        asked.recv()
        began = time.perf_counter()
        state, _ = program.advance(state)
        asked.send((time.perf_counter() - began) / options.iterations)


def _chunk(training: Connection) -> float:
    training.send(None)
    return training.recv()


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
