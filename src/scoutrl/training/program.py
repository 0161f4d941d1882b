"""The compiled programs of one seed, or of several seeds in one program."""

import dataclasses
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
from scoutrl.training.chunk import at_once, check_collectors, in_turn, players
from scoutrl.training.iteration import Asked, ChunkMetrics, Found, Played
from scoutrl.training.placement import Placement
from scoutrl.training.quick import drawn, summed
from scoutrl.training.shards import Shards
from scoutrl.training.signals import aside
from scoutrl.training.state import TrainingState, apart, arrays_of, start, state_like, to_parts, with_replay
from scoutrl.training.team import ALONE, Team
from scoutrl.trials.sampler import Sampler
from scoutrl.trials.watch import Fault


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
        policy_lag: int = 0,
        team: Team = ALONE,
    ):
        self.seeds = seeds
        """Seeds in one program."""
        self.pending: Any = None
        """Shapes and types of a seed's pending trials, once all is compiled; None without a policy lag."""
        self.compile_seconds = 0.0
        """Time that compilation took."""
        self._sampler, self._algorithm = sampler, algorithm
        self._iterations, self._evaluation_trials, self._measure = iterations, evaluation_trials, measure
        self._lags = policy_lag > 0
        like = state_like(sampler.spec, algorithm)
        if self._lags:
            check_collectors(sampler.spec, algorithm, like)
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
        acting = self._players(arrays)
        playing = aside(lambda: sampler.lower(self._play(both), acting, self._fresh))

        def learning() -> Callable:
            played = playing.result().out_info
            played = played if self._placement is None else self._placement.split_shapes(played)
            replay, rest = arrays.algorithm.replay, with_replay(arrays, None)
            return lower(self._learn(), replay, rest, played, donate=True).compile()

        # The longest first: each is compiled while the next one is traced.
        learn = aside(learning)
        play = aside(lambda: playing.result().compile())
        finite = aside(lambda: lower(self._finite(), arrays).compile())
        others = [aside(work) for work in meanwhile]
        self._fresh_trials = self._evaluated_trials = play.result()
        if not self._one_for_both:
            self._evaluated_trials = sampler.compile(self._play(True), acting, self._evaluated)
        self._learnt_from, self._is_finite = learn.result(), finite.result()
        for other in others:
            other.result()
        if self._lags:
            self.pending = jax.tree.map(self._of_a_seed, playing.result().out_info)
        self.compile_seconds = time.perf_counter() - began

    def begin(self, seed: int) -> TrainingState:
        """The state of a run that has done nothing yet."""
        pending = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self.pending)
        return dataclasses.replace(arrays_of(start(self._sampler.spec, self._algorithm, seed)), pending=pending)

    def spread(self, state: TrainingState | None = None) -> TrainingState:
        """A state where it belongs: the first process of a team hands its state out, and the others give none."""
        if self._placement is None:
            assert state is not None
            return state
        return self._placement.spread(self._arrays if state is None else state)

    def advance(self, state: TrainingState) -> tuple[TrainingState, list[ChunkMetrics]]:
        """One chunk; `state` is used up. Waits for the device. Metrics come one per seed."""
        self._team.order("advance")

        def run() -> tuple[TrainingState, list[Found], np.ndarray, Fault | None]:
            with callbacks_of(self._sampler.spec.title):
                return self._chunk(state)

        after, found, *told = self._team.wait(aside(run))
        each = [self._lanes(one) for one in found]
        finite, ahead = map(self._lanes, told)
        if self._shards is not None:
            return after, [ChunkMetrics.of([one for lanes in each for one in lanes], finite, ahead)]
        return after, [
            ChunkMetrics.of([lanes[i] for lanes in each], [finite[i]], [ahead[i]]) for i in range(self.seeds)
        ]

    def report(self) -> dict[str, float]:
        """What the sampler has to note of the chunk."""
        return self._sampler.report()

    def evaluate(self, state: TrainingState) -> list[tuple[dict[str, float], Fault]]:
        """Quick evaluation on validation problems, and what the family did wrong first in it, one per seed.

        The problems are drawn anew each time, none twice before all were used once.
        """
        self._team.order("evaluate")

        def run() -> list[Scores]:
            now = self._players(state)
            with callbacks_of(self._sampler.spec.title):
                return [self._fetch(self._evaluated_trials(now, asked).scores) for asked in self._to_evaluate(state)]

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
        alone, pending = apart(arrays)
        return dataclasses.replace(eqx.combine(alone, self._rest), pending=pending)

    def _to_evaluate(self, state: TrainingState) -> Iterator[Asked]:
        """What is to be played for an evaluation in this state."""
        parts = -(-self._evaluation_trials // self._at_once)
        for part, problems in enumerate(drawn(self._ids, state, parts, self._at_once)):
            yield self._asked(problems, part)

    def _chunk(self, state: TrainingState) -> tuple[TrainingState, list[Found], np.ndarray, Fault | None]:
        """The state after a chunk, what its iterations found, which arrays are finite, and faults of pending trials."""

        def play(state: TrainingState) -> Played:
            return self._fresh_trials(state, self._fresh)

        def learn(state: TrainingState, played: Played) -> tuple[TrainingState, Found]:
            return self._learnt_from(state.algorithm.replay, with_replay(state, None), played)

        state, found = (at_once if self._lags else in_turn)(state, self._iterations, play, learn)
        alone, pending = apart(state)
        ahead = None if pending is None else pending.scores.faults
        return state, *self._fetch((found, self._is_finite(alone), ahead))

    def _players(self, state: TrainingState) -> TrainingState:
        """What the programs that play are given of a state."""
        return players(state) if self._lags else state

    def _of_a_seed(self, leaf: Any) -> jax.ShapeDtypeStruct:
        """The shape of an array that comes for each seed where there are several."""
        return jax.ShapeDtypeStruct(leaf.shape[1:] if self.seeds > 1 else leaf.shape, leaf.dtype)

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
            state = self._players(self.whole(arrays))
            return device.play(self._sampler, self._algorithm, state, asked, evaluating, self._measure)

        if self._shards is not None:
            return self._shards.play(play)
        return jax.vmap(play, (0, Asked(None, 0, None))) if self.seeds > 1 else play  # type: ignore[arg-type]

    def _learn(self) -> Callable[[Any, TrainingState, Played], tuple[TrainingState, Found]]:
        """Learning, which may be given the replay to use up, and the rest of the state to leave as it is."""

        def learn(arrays: TrainingState, played: Played) -> tuple[TrainingState, Found]:
            state, found = device.learn(self._sampler.spec, self._algorithm, self.whole(arrays), played)
            return arrays_of(state), found

        over_all = self._over_seeds(learn) if self._shards is None else self._shards.learn(learn)
        return lambda replay, rest, played: over_all(with_replay(rest, replay), played)

    def _finite(self) -> Callable[[TrainingState], Array]:
        return self._over_seeds(device.finite) if self._shards is None else self._shards.finite(device.finite)

    def _over_seeds(self, function: Callable) -> Callable:
        return jax.vmap(function) if self.seeds > 1 else function


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)
