"""How fast the pool of workers steps Gymnasium environments: `python -m benchmarks.host`.

Beside a plain loop in Python, times the cores, which is the most there can be, and beside `AsyncVectorEnv` with a
process for each environment. Random actions, nothing acts and nothing learns; the three take turns, and the median of
the rounds counts.
"""

import dataclasses
import statistics
import time
from typing import Annotated, Any

import gymnasium
import numpy as np
from cyclopts import App, Parameter
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from benchmarks.record import keep, provenance
from scoutrl.envs.host.by_id import maker_by_id
from scoutrl.envs.host.family import cores
from scoutrl.pool.pool import HALVES, Pool

SIZE = 32
"""Environments in a half of the pool; `AsyncVectorEnv` has as many as both halves."""
ENVIRONMENTS = {
    "CartPole-v1": [{"sutton_barto_reward": True}, {"sutton_barto_reward": False}],
    "FrozenLake-v1": [{"is_slippery": True}, {"is_slippery": False}],
}
"""ID of what is stepped, and its problems."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Measure how fast environments are stepped."""

    rounds: int = 5
    """How often each is measured."""
    seconds: float = 5.0
    """How long, each time."""
    smoke: bool = False
    """Run for a moment to see that everything works; nothing is kept."""


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Measure, and keep the result."""
    rounds, seconds = (1, 0.3) if options.smoke else (options.rounds, options.seconds)
    rows = []
    for name in ENVIRONMENTS:
        ways = {"plain_loop": plain, "pool": pooled, "async_vector_env": asynchronous}
        speeds = {way: [] for way in ways}
        for _ in range(rounds):
            for way, measure in ways.items():
                speeds[way].append(measure(name, seconds))
        medians = {way: statistics.median(found) for way, found in speeds.items()}
        most = medians["plain_loop"] * cores()
        rows.append({"environment": name, "steps_per_second": medians, "of_the_most": medians["pool"] / most})
    result = {"benchmark": "host", "cores": cores(), "environments": 2 * SIZE, "rounds": rounds, "seconds": seconds}
    keep("host", result | {"rows": rows, "provenance": provenance("host")}, options.smoke)


def plain(name: str, seconds: float) -> float:
    """Steps per second of one environment in a loop."""
    env = gymnasium.make(name, disable_env_checker=True, **ENVIRONMENTS[name][0])
    env.reset(seed=0)
    actions, steps, began = _actions(env.action_space, 1000), 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        steps += len(actions)
    return steps / passed


def pooled(name: str, seconds: float) -> float:
    """Steps per second of the pool, both halves in turn."""
    source = maker_by_id(f"gym:{name}")(ENVIRONMENTS[name]).source
    pool = Pool(source.job, SIZE, cores(), source.patience)
    try:
        for half in range(HALVES):
            _reset(pool, half, np.ones(SIZE, bool))
        for half in range(HALVES):
            pool.wait(half)  # until workers have started
        actions, steps, began = _actions(source.job.action.space, (1000, SIZE)), 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            for half in range(HALVES):
                steps += _turn(pool, half, actions[steps // SIZE % 1000])
        for half in range(HALVES):
            pool.wait(half)
        return steps / passed
    finally:
        pool.close()


def asynchronous(name: str, seconds: float) -> float:
    """Steps per second of a process for each environment; a step that resets counts as none."""

    def make() -> gymnasium.Env:
        return gymnasium.make(name, disable_env_checker=True, **ENVIRONMENTS[name][0])

    envs = AsyncVectorEnv([make] * (HALVES * SIZE), autoreset_mode=AutoresetMode.SAME_STEP)
    try:
        envs.reset(seed=0)
        actions, steps = _actions(envs.single_action_space, (1000, HALVES * SIZE)), 0
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            envs.step(actions[steps // envs.num_envs % 1000])
            steps += envs.num_envs
        return steps / passed
    finally:
        envs.close()


def _turn(pool: Pool, half: int, actions: np.ndarray) -> int:
    """Wait for the steps of a half, reset what is over, and begin the next."""
    pool.wait(half)
    over = pool.of("terminated", half) | pool.of("truncated", half)
    if over.any():
        _reset(pool, half, over)
        pool.wait(half)
    pool.of("active", half)[:], pool.of("action", half)[:] = True, actions
    pool.step(half)
    return SIZE


def _reset(pool: Pool, half: int, which: np.ndarray) -> None:
    pool.of("active", half)[:] = which
    pool.of("terminated", half)[which] = pool.of("truncated", half)[which] = False
    pool.of("seed", half)[:] = np.arange(SIZE)
    pool.reset(half)


def _actions(space: Any, shape: Any) -> np.ndarray:
    return np.random.default_rng(0).integers(int(space.n), size=shape)


if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
