"""The compiled programs of one seed, or of several seeds in one program."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import MetaEnv
from scoutrl.training import chunk as device
from scoutrl.training.evaluate import quick_evaluate
from scoutrl.training.state import Progress, start


class Programs:
    """Start, go on and evaluate, compiled once.

    One seed is run as it is, without a batch axis, so that it costs and computes what it would alone; several seeds
    are vmapped, every array then having a leading axis of seeds.
    """

    def __init__(self, env: MetaEnv, algorithm: Algorithm, seeds: int, iterations: int, evaluation_trials: int):
        self.seeds = seeds
        """Seeds in one program."""
        self.compile_seconds = 0.0
        """Time spent in compiling the chunk and the evaluation."""
        quick = quick_evaluate(env, algorithm, evaluation_trials, "test")

        def begin(seed: Array) -> Progress:
            return start(env, algorithm, seed)

        def advance(progress: Progress) -> tuple[Progress, device.Report]:
            return device.chunk(env, algorithm, iterations, progress)

        def judge(progress: Progress) -> dict[str, Array]:
            return quick(progress.learner, device.evaluation_key(progress))

        self._begin = eqx.filter_jit(self._over_seeds(begin))
        self._finite = eqx.filter_jit(self._over_seeds(device.finite))
        self._advance: Any = eqx.filter_jit(self._over_seeds(advance), donate="all")
        self._judge: Any = eqx.filter_jit(self._over_seeds(judge))

    def begin(self, seeds: Sequence[int]) -> Progress:
        """The progress of runs that have done nothing yet."""
        numbers = jnp.array(seeds, jnp.int32)
        return self._begin(numbers if self.seeds > 1 else numbers[0])

    def compile(self, progress: Progress) -> None:
        """Compile what runs over and over; the two are compiled side by side where there are cores for it."""
        began = time.perf_counter()
        advance, judge = self._advance.lower(progress), self._judge.lower(progress)
        with ThreadPoolExecutor(1) as pool:
            compiling = pool.submit(judge.compile)
            self._advance = advance.compile()
            self._judge = compiling.result()
        self.compile_seconds = time.perf_counter() - began

    def advance(self, progress: Progress) -> tuple[Progress, list[device.Report]]:
        """One chunk; `progress` is used up. Waits for the device. Reports come one per seed, as NumPy numbers."""
        progress, report = self._advance(progress)
        return progress, self.split(jax.device_get(report))

    def judge(self, progress: Progress) -> list[dict[str, float]]:
        """Quick evaluation on unseen problems, one per seed."""
        results = self.split(jax.device_get(self._judge(progress)))
        return [{_test_name(name): float(value) for name, value in result.items()} for result in results]

    def finite(self, progress: Progress) -> list[np.ndarray]:
        """`chunk.finite` of each seed."""
        return self.split(jax.device_get(self._finite(progress)))

    def split(self, tree: Any) -> list[Any]:
        """One tree per seed."""
        return [self.one(tree, seed) for seed in range(self.seeds)]

    def one(self, tree: Any, seed: int) -> Any:
        """The part of `tree` that belongs to one of the seeds, by its place."""
        if self.seeds == 1:
            return tree
        return jax.tree.map(lambda leaf: leaf[seed] if isinstance(leaf, jax.Array | np.ndarray) else leaf, tree)

    def _over_seeds(self, function):
        return eqx.filter_vmap(function) if self.seeds > 1 else function


def join(trees: Sequence[Progress]) -> Progress:
    """Several seeds' progress with a leading axis of seeds; a single one as it is."""
    if len(trees) == 1:
        return trees[0]
    arrays = [eqx.filter(tree, eqx.is_array) for tree in trees]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays)
    return eqx.combine(stacked, eqx.filter(trees[0], eqx.is_array, inverse=True))


def _test_name(name: str) -> str:
    return name if name.startswith("test_") else f"test_{name}"
