"""The compiled programs of one seed, or of several seeds in one program."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs.raised import callbacks_of
from scoutrl.evaluation.evaluate import Measure, Scores
from scoutrl.lowering import lower
from scoutrl.runs.checkpoint import Parts
from scoutrl.training import iteration as device
from scoutrl.training.iteration import Asked, ChunkMetrics, Found, Played
from scoutrl.training.placement import Placement
from scoutrl.training.quick import drawn, summed
from scoutrl.training.shards import Shards
from scoutrl.training.signals import aside
from scoutrl.training.state import TrainingState, arrays_of, start, state_like, to_parts
from scoutrl.training.team import ALONE, Team
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.watch import Fault

AT_ONCE = 3
"""Iterations that the device may have in hand: the trials of each are in memory."""


class TrainingProgram:
    """Begin, go on and evaluate: one program plays trials, another one learns from them, each compiled once.

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
        team: Team = ALONE,
    ):
        self.seeds = seeds
        """Seeds in one program."""
        self.compile_seconds = 0.0
        """Time that compilation took."""
        self._sampler, self._algorithm = sampler, algorithm
        self._iterations, self._evaluation_trials, self._measure = iterations, evaluation_trials, measure
        like = state_like(sampler.spec, algorithm)
        self._arrays, self._rest = eqx.partition(like, _is_shape)
        self._team = team
        self._placement = Placement(algorithm.shards, team) if algorithm.shards > 1 else None
        self._shards = None if self._placement is None else Shards(algorithm.shards, self._placement)
        self._one_for_both = device.one_for_both(sampler, algorithm, like)
        self._ids = np.asarray(jnp.asarray(sampler.spec.problems.of("validation")))
        first = np.broadcast_to(self._ids[0], (seeds, algorithm.trials_per_iteration, self._ids.shape[1]))
        self._fresh = self._asked(first)
        whole = self._one_for_both or self._shards is not None
        self._at_once = first.shape[1] if whole else min(first.shape[1], evaluation_trials)
        self._evaluated = self._asked(first[:, : self._at_once], 0)

    def compile(self, *meanwhile: Callable[[], object]) -> None:
        """Compile all, side by side as far as there are cores, and do what is to be done `meanwhile`."""
        began = time.perf_counter()
        lead, sampler = (self.seeds,) if self.seeds > 1 else (), self._sampler
        arrays = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((*lead, *leaf.shape), leaf.dtype), self._arrays)
        arrays = arrays if self._placement is None else self._placement.shapes(arrays)
        both = None if self._one_for_both else False
        playing = aside(lambda: sampler.lower(self._play(both), arrays, self._fresh))

        def learning() -> Callable:
            played = playing.result().out_info
            played = played if self._placement is None else self._placement.split_shapes(played)
            return lower(self._learn(), arrays, played, donate=True).compile()

        # The longest first: each is compiled while the next one is traced.
        learn = aside(learning)
        play = aside(lambda: playing.result().compile())
        finite = aside(lambda: lower(self._finite(), arrays).compile())
        others = [aside(work) for work in meanwhile]
        self._fresh_trials = self._evaluated_trials = play.result()
        if not self._one_for_both:
            self._evaluated_trials = sampler.compile(self._play(True), arrays, self._evaluated)
        self._learnt_from, self._is_finite = learn.result(), finite.result()
        for other in others:
            other.result()
        self.compile_seconds = time.perf_counter() - began

    def begin(self, seed: int) -> TrainingState:
        """The state of a run that has done nothing yet."""
        return arrays_of(start(self._sampler.spec, self._algorithm, seed))

    def spread(self, state: TrainingState | None = None) -> TrainingState:
        """A state where it belongs: the first process of a team hands its state out, and the others give none."""
        if self._placement is None:
            assert state is not None
            return state
        return self._placement.spread(self._arrays if state is None else state)

    def advance(self, state: TrainingState) -> tuple[TrainingState, list[ChunkMetrics]]:
        """One chunk; `state` is used up. Waits for the device. Metrics come one per seed."""
        self._team.order("advance")

        def run() -> tuple[TrainingState, list[Found], np.ndarray]:
            with callbacks_of(self._sampler.spec.title):
                return self._chunk(state)

        after, found, finite = self._team.wait(aside(run))
        each = [self._lanes(one) for one in found]
        finite = self._lanes(finite)
        if self._shards is not None:
            return after, [ChunkMetrics.of([one for lanes in each for one in lanes], finite)]
        return after, [ChunkMetrics.of([lanes[i] for lanes in each], finite[i : i + 1]) for i in range(self.seeds)]

    def report(self) -> dict[str, float]:
        """What the sampler has to note of the chunk."""
        return self._sampler.report()

    def evaluate(self, state: TrainingState) -> list[tuple[dict[str, float], Fault]]:
        """Quick evaluation on validation problems, and what the family did wrong first in it, one per seed.

        The problems are drawn anew each time, none twice before all were used once.
        """
        self._team.order("evaluate")

        def run() -> list[Scores]:
            with callbacks_of(self._sampler.spec.title):
                return [self._fetch(self._evaluated_trials(state, asked).scores) for asked in self._to_evaluate(state)]

        parts = [self._lanes(scores) for scores in self._team.wait(aside(run))]
        if self.seeds == 1:
            return [summed([one for lanes in parts for one in lanes], self._evaluation_trials)]
        return [summed(each, self._evaluation_trials) for each in zip(*parts, strict=True)]

    def parts(self, state: TrainingState, seed: int = 0) -> Parts:
        """The parts of a checkpoint of one of the seeds, by its place; whole in the first process of a team."""
        self._team.order("parts")
        here = state if self._placement is None else self._placement.here(state)
        one = here if self.seeds == 1 else jax.tree.map(lambda leaf: leaf[seed], here)
        parts = to_parts(self._sampler.spec, self._algorithm, self.whole(one))
        each = self._team.collect(parts["replay"])
        if len(each) > 1:
            parts["replay"] = {name: np.concatenate([rows[name] for rows in each]) for name in each[0]}
        return parts

    def whole(self, arrays: TrainingState) -> TrainingState:
        """The state of one seed, with what is no array, such as activation functions."""
        return eqx.combine(arrays, self._rest)

    def _to_evaluate(self, state: TrainingState) -> Iterator[Asked]:
        """What is to be played for an evaluation in this state."""
        parts = -(-self._evaluation_trials // self._at_once)
        for part, problems in enumerate(drawn(self._ids, state, parts, self._at_once)):
            yield self._asked(problems, part)

    def _chunk(self, state: TrainingState) -> tuple[TrainingState, list[Found], np.ndarray]:
        """The state after a chunk, what its iterations found, and which arrays are finite."""
        found = []
        for _ in range(self._iterations):
            state, told = self._learnt_from(state, self._fresh_trials(state, self._fresh))
            found.append(told)
            if len(found) >= AT_ONCE:
                jax.block_until_ready(found[-AT_ONCE])
        return state, *self._fetch((found, self._is_finite(state)))

    def _asked(self, problems: np.ndarray, part: int | None = None) -> Asked:
        """To play fresh trials, or a part of an evaluation; problems [seeds, trials, k]."""
        lanes = self.seeds if self._shards is None else self._shards.count
        problems = problems.reshape(lanes, -1, problems.shape[-1])
        problems = problems if lanes > 1 else problems[0]
        asked = Asked(np.bool_(part is not None), problems, np.int32(part or 0))  # pyright: ignore[reportArgumentType]
        return asked if self._placement is None else self._placement.asked(asked)

    def _fetch(self, tree: Any) -> Any:
        return jax.device_get(tree) if self._placement is None else self._placement.fetch(tree)

    def _lanes(self, tree: Any) -> list[Any]:
        """What comes for each seed or shard, one by one."""
        lanes = self.seeds if self._shards is None else self._shards.count
        return [tree] if lanes == 1 else [jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(lanes)]

    def _play(self, evaluating: bool | None) -> Callable[[TrainingState, Asked], Played]:
        def play(arrays: TrainingState, asked: Asked) -> Played:
            return device.play(self._sampler, self._algorithm, self.whole(arrays), asked, evaluating, self._measure)

        if self._shards is not None:
            return self._shards.play(play)
        return jax.vmap(play, (0, Asked(None, 0, None))) if self.seeds > 1 else play  # type: ignore[arg-type]

    def _learn(self) -> Callable[[TrainingState, Played], tuple[TrainingState, Found]]:
        def learn(arrays: TrainingState, played: Played) -> tuple[TrainingState, Found]:
            state, found = device.learn(self._sampler.spec, self._algorithm, self.whole(arrays), played)
            return arrays_of(state), found

        return self._over_seeds(learn) if self._shards is None else self._shards.learn(learn)

    def _finite(self) -> Callable[[TrainingState], Array]:
        return self._over_seeds(device.finite) if self._shards is None else self._shards.finite(device.finite)

    def _over_seeds(self, function: Callable) -> Callable:
        return jax.vmap(function) if self.seeds > 1 else function


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)
