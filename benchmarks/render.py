"""How fast frames of the sign family are drawn on one core: `python -m benchmarks.render`.

As batches, and as the observations of environments stepped under vmap; beside them, in the same run and on the same
core, the real Miniworld, if it is installed, and frames that a replay has kept, in place of which it could keep states
and have them drawn when they are sampled.
"""

import contextlib
import dataclasses
import io
import os
import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from cyclopts import App, Parameter

from benchmarks.record import earlier, keep, print_status, provenance
from scoutrl._platform import accelerator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure how fast frames are drawn."""

    batch: int = 480
    """Frames of a batch."""
    environments: int = 64
    """Environments stepped beside each other."""
    trials: int = 24
    """Trials sampled at a time from the replay."""
    capacity: int = 2048
    """Trials in the replay: 0.6 MB each."""
    seconds: float = 5.0
    """Seconds for each measurement."""
    smoke: bool = False
    """Run for a few seconds to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, batch=16, environments=4, trials=4, capacity=32, seconds=0.2)
    sizes = ("batch", "environments", "trials", "capacity")
    setup = {"benchmark": "render"} | {name: getattr(options, name) for name in sizes}
    there = {} if options.smoke else earlier("render-sign", setup)
    # Before anything computes: threads that were started earlier would not follow.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ |= {"PYGLET_HEADLESS": "1", "LP_NUM_THREADS": "0"}
    poses = random_poses(options.batch)
    found = {
        "batched": rate(batched(poses), options.batch, options.seconds),
        "stepped": rate(stepped(options.environments), 20 * options.environments, options.seconds),
        "miniworld": real(poses, options.seconds),
        "replayed": rate(replayed(options.trials, options.capacity), 42 * options.trials, options.seconds),
    }
    for name, speed in found.items():
        print_status(f"{name}: {'not installed' if speed is None else f'{speed:,.0f} frames/s'}")
    said = dict.fromkeys(found, provenance("render") | {"accelerator": accelerator()})
    if found["miniworld"] is None and there:
        # Not installed here: what was measured elsewhere stays, but is nothing to compare the others with.
        found["miniworld"], said["miniworld"] = (there[key]["miniworld"] for key in ("frames_per_second", "provenance"))
    same = found["miniworld"] is not None and said["miniworld"] == said["batched"]
    result = setup | {
        "frames_per_second": found,
        "times_miniworld": found["batched"] / found["miniworld"] if same else None,
        "provenance": said,
    }
    keep("render-sign", result, options.smoke)


def random_poses(count: int) -> list[np.ndarray]:
    """Poses anywhere in the larger part of the room, the arguments of `draw`."""
    random = np.random.default_rng(0)
    low, high = (0.5, 2.0, -np.pi), (5.5, 12.0, np.pi)
    x, z, heading = random.uniform(low, high, (count, 3)).T
    # In the order of the signs: Miniworld has to build its world anew for each of them.
    return [x, z, heading, np.sort(random.integers(0, 3, count)), random.uniform(-np.pi, np.pi, (count, 6))]


def rate(run: Callable[[], Any], frames: int, seconds: float) -> float:
    """Frames per second of wall-clock, the median over runs of `frames` each; the first runs are not counted."""
    run()
    run()
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 3:
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return frames / statistics.median(times)


def batched(poses: list[np.ndarray]) -> Callable[[], Any]:
    """Draws one batch."""
    from scoutrl.envs.sign import draw

    return lambda: draw(*poses).block_until_ready()


def stepped(count: int) -> Callable[[], Any]:
    """Steps environments 20 times at random, as training does, with every observation made."""
    import jax

    from scoutrl.envs.sign import Sign

    env = Sign()

    def step(states: Any, key: Any) -> tuple[Any, Any]:
        actions = jax.random.randint(key, (count,), 0, 3)
        states, answer = jax.vmap(env.step, in_axes=(0, 0, None))(states, actions, key)
        return states, answer.observation

    @jax.jit
    def episode(key: Any) -> Any:
        problems = env.problems.sample(key, count)
        states, _ = jax.vmap(env.reset)(problems, jax.random.split(key, count))
        return jax.lax.scan(step, states, jax.random.split(key, 20))[1]

    key = jax.random.key(0)
    return lambda: episode(key).block_until_ready()


def replayed(count: int, capacity: int) -> Callable[[], Any]:
    """Fetches trials of two episodes of 20 steps, 42 frames each, from the replay of a run."""
    import jax
    import jax.numpy as jnp

    from scoutrl.runs.config import make_algorithm, make_env, resolve
    from scoutrl.trials.replay import take

    config = resolve("dream", "sign", sets=[f"capacity={capacity}"])
    kept = make_algorithm(config).replay(make_env(config))
    random, taken = np.random.default_rng(0), jax.jit(take)
    return lambda: jax.block_until_ready(taken(kept, jnp.asarray(random.integers(0, capacity, count))))


def real(poses: list[np.ndarray], seconds: float) -> float | None:
    """Frames per second of Miniworld, moved from pose to pose; None where it is not installed."""
    try:
        from miniworld.envs.sign import Sign  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    with contextlib.redirect_stdout(io.StringIO()):
        env = Sign()
        env.reset(seed=0)

    def run() -> None:
        for x, z, heading in zip(*poses[:3], strict=True):
            vars(env.agent).update(pos=np.array([x, 0.0, z]), dir=heading)
            env.render_obs()

    return rate(run, len(poses[0]), seconds)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
