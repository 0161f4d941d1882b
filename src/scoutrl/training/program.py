"""The compiled programs of one seed, or of several seeds in one program."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs.raised import callbacks_of
from scoutrl.evaluation.evaluate import Measure, watched_evaluate
from scoutrl.training import iteration as device
from scoutrl.training.shards import Shards
from scoutrl.training.signals import aside
from scoutrl.training.state import TrainingState, start, state_like
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.watch import Fault


class TrainingProgram:
    """Begin, go on and evaluate, each compiled once. The states they take and give have arrays only.

    One seed is run as it is, without a batch axis, so that it costs and computes what it would alone; several seeds
    are vmapped, every array then having a leading axis of seeds. The shards of one seed are laid out by `Shards`.
    """

    def __init__(
        self,
        sampler: Sampler,
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
        self._sampler, self._algorithm = sampler, algorithm
        quick = watched_evaluate(sampler, algorithm.protocol(greedy=True), evaluation_trials, "validation", measure)
        like = state_like(sampler.spec, algorithm)
        self._arrays, self._rest = eqx.partition(like, _is_shape)

        def advance(arrays: TrainingState) -> tuple[TrainingState, device.ChunkMetrics]:
            state, metrics = device.chunk(sampler, algorithm, iterations, self.whole(arrays))
            return arrays_of(state), metrics

        def evaluate(arrays: TrainingState) -> tuple[dict[str, Array], Fault]:
            state = self.whole(arrays)
            return quick(algorithm.agent(sampler.spec, state.algorithm), device.evaluation_key(state))

        self._shards = Shards(algorithm.shards) if algorithm.shards > 1 else None
        if self._shards is not None:
            self._advance: Callable = self._shards.advance(advance)
            self._evaluate: Callable = self._shards.evaluate(evaluate)
        else:
            self._advance, self._evaluate = self._over_seeds(advance), self._over_seeds(evaluate)

    def compile(self, *meanwhile: Callable[[], object]) -> None:
        """Compile all, side by side as far as there are cores, and do what is to be done `meanwhile`."""
        began = time.perf_counter()
        lead, sampler = (self.seeds,) if self.seeds > 1 else (), self._sampler
        arrays = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((*lead, *leaf.shape), leaf.dtype), self._arrays)
        arrays = arrays if self._shards is None else self._shards.shapes(arrays)
        # The longest first: each is compiled while the next one is traced.
        advance = aside(lambda: sampler.compile(self._advance, arrays, donate=True))
        others = [aside(work) for work in meanwhile]
        evaluate = aside(lambda: sampler.compile(self._evaluate, arrays))
        self._advance, self._evaluate = advance.result(), evaluate.result()
        for other in others:
            other.result()
        self.compile_seconds = time.perf_counter() - began

    def begin(self, seed: int) -> TrainingState:
        """The state of a run that has done nothing yet."""
        return arrays_of(start(self._sampler.spec, self._algorithm, seed))

    def advance(self, state: TrainingState) -> tuple[TrainingState, list[device.ChunkMetrics]]:
        """One chunk; `state` is used up. Waits for the device. Metrics come one per seed, as NumPy numbers."""

        def run() -> tuple[TrainingState, Any]:
            with callbacks_of(self._sampler.spec.title):
                after, metrics = self._advance(state if self._shards is None else self._shards.place(state))
                return after, jax.device_get(metrics)

        after, metrics = aside(run).result()
        return after, self.split(metrics if self._shards is None else self._shards.together(metrics))

    def report(self) -> dict[str, float]:
        """What the sampler has to note of the chunk."""
        return self._sampler.report()

    def evaluate(self, state: TrainingState) -> list[tuple[dict[str, float], Fault]]:
        """Quick evaluation on validation problems, and what the family did wrong first in it, one per seed."""

        def run() -> Any:
            with callbacks_of(self._sampler.spec.title):
                return jax.device_get(self._evaluate(state))

        results = self.split(aside(run).result())
        return [
            ({_full_name(name): float(value) for name, value in result.items()}, fault) for result, fault in results
        ]

    def split(self, tree: Any) -> list[Any]:
        """One tree per seed."""
        return [self.one(tree, seed) for seed in range(self.seeds)]

    def one(self, tree: Any, seed: int) -> Any:
        """The part of a tree of arrays that belongs to one of the seeds, by its place."""
        return tree if self.seeds == 1 else jax.tree.map(lambda leaf: leaf[seed], tree)

    def whole(self, arrays: TrainingState) -> TrainingState:
        """The state of one seed, with what is no array, such as activation functions."""
        return eqx.combine(arrays, self._rest)

    def _over_seeds(self, function: Callable) -> Callable:
        return jax.vmap(function) if self.seeds > 1 else function


def arrays_of(state: TrainingState) -> TrainingState:
    """`state` without what is no array, such as activation functions."""
    return eqx.filter(state, eqx.is_array)


def join(trees: Sequence[TrainingState]) -> TrainingState:
    """Several seeds' states with a leading axis of seeds; a single one as it is."""
    return trees[0] if len(trees) == 1 else jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def finite(state: TrainingState) -> np.ndarray:
    """As `iteration.finite`, computed by the host."""
    floats = jax.tree.leaves(eqx.filter(state, eqx.is_inexact_array))
    return np.array([np.isfinite(np.asarray(leaf)).all() for leaf in floats], bool)


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)


def _full_name(name: str) -> str:
    return name if name.startswith("validation_") else f"validation_{name}"
