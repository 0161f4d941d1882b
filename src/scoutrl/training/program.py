"""The compiled programs of one seed, or of several seeds in one program."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import MetaEnv
from scoutrl.evaluation.evaluate import Measure, greedy_protocol, quick_evaluate
from scoutrl.training import iteration as device
from scoutrl.training.state import TrainingState, start


class TrainingProgram:
    """Begin, go on and evaluate, each compiled once. The progress they take and give has arrays only.

    One seed is run as it is, without a batch axis, so that it costs and computes what it would alone; several seeds
    are vmapped, every array then having a leading axis of seeds.
    """

    def __init__(
        self,
        env: MetaEnv,
        algorithm: Algorithm,
        seeds: int,
        iterations: int,
        evaluation_trials: int,
        measure: Measure | None = None,
    ):
        self.seeds = seeds
        """Seeds in one program."""
        self.compile_seconds = 0.0
        """Time that compilation took."""
        quick = quick_evaluate(env, greedy_protocol(algorithm), evaluation_trials, "test", measure)
        like = eqx.filter_eval_shape(start, env, algorithm, jax.ShapeDtypeStruct((), jnp.int32))
        self._rest = rest = eqx.filter(like, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct), inverse=True)

        def begin(seed: Array) -> TrainingState:
            return arrays_of(start(env, algorithm, seed))

        def advance(arrays: TrainingState) -> tuple[TrainingState, device.ChunkMetrics]:
            progress, report = device.chunk(env, algorithm, iterations, eqx.combine(arrays, rest))
            return arrays_of(progress), report

        def judge(arrays: TrainingState) -> dict[str, Array]:
            progress = eqx.combine(arrays, rest)
            return quick(algorithm.agent(env, progress.learner), device.evaluation_key(progress))

        self._begin: Callable = self._over_seeds(begin)
        self._advance: Callable = self._over_seeds(advance)
        self._judge: Callable = self._over_seeds(judge)

    def compile(self, fresh: bool, *meanwhile: Callable[[], object]) -> None:
        """Compile all, side by side as far as there are cores.

        Args:
            fresh: `begin` will be called.
            meanwhile: what else is to be done while the compiler works.
        """
        began = time.perf_counter()
        numbers = jax.ShapeDtypeStruct((self.seeds,) if self.seeds > 1 else (), jnp.int32)
        arrays = jax.eval_shape(self._begin, numbers)
        with ThreadPoolExecutor() as pool:
            # The longest first: each is compiled while the next one is traced.
            advance = pool.submit(jax.jit(self._advance, donate_argnums=0).lower(arrays).compile)
            others = [pool.submit(work) for work in meanwhile]
            judge = pool.submit(jax.jit(self._judge).lower(arrays).compile)
            if fresh:
                self._begin = jax.jit(self._begin).lower(numbers).compile()
            self._advance, self._judge = advance.result(), judge.result()
            for other in others:
                other.result()
        self.compile_seconds = time.perf_counter() - began

    def begin(self, seeds: Sequence[int]) -> TrainingState:
        """The progress of runs that have done nothing yet."""
        numbers = jnp.array(seeds, jnp.int32)
        return self._begin(numbers if self.seeds > 1 else numbers[0])

    def advance(self, progress: TrainingState) -> tuple[TrainingState, list[device.ChunkMetrics]]:
        """One chunk; `progress` is used up. Waits for the device. Reports come one per seed, as NumPy numbers."""
        progress, report = self._advance(progress)
        return progress, self.split(jax.device_get(report))

    def judge(self, progress: TrainingState) -> list[dict[str, float]]:
        """Quick evaluation on unseen problems, one per seed."""
        results = self.split(jax.device_get(self._judge(progress)))
        return [{_test_name(name): float(value) for name, value in result.items()} for result in results]

    def split(self, tree: Any) -> list[Any]:
        """One tree per seed."""
        return [self.one(tree, seed) for seed in range(self.seeds)]

    def one(self, tree: Any, seed: int) -> Any:
        """The part of a tree of arrays that belongs to one of the seeds, by its place."""
        return tree if self.seeds == 1 else jax.tree.map(lambda leaf: leaf[seed], tree)

    def whole(self, arrays: TrainingState) -> TrainingState:
        """One seed's progress with what is no array, as an algorithm needs it."""
        return eqx.combine(arrays, self._rest)

    def _over_seeds(self, function: Callable) -> Callable:
        return jax.vmap(function) if self.seeds > 1 else function


def arrays_of(progress: TrainingState) -> TrainingState:
    """`progress` without what is no array, such as activation functions."""
    return eqx.filter(progress, eqx.is_array)


def join(trees: Sequence[TrainingState]) -> TrainingState:
    """Several seeds' progress with a leading axis of seeds; a single one as it is."""
    return trees[0] if len(trees) == 1 else jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def finite(progress: TrainingState) -> np.ndarray:
    """As `chunk.finite`, computed by the host."""
    floats = jax.tree.leaves(eqx.filter(progress, eqx.is_inexact_array))
    return np.array([np.isfinite(np.asarray(leaf)).all() for leaf in floats], bool)


def _test_name(name: str) -> str:
    return name if name.startswith("test_") else f"test_{name}"
