"""A run that is split into shards, on the devices there are: where its state lies, and its programs."""

import dataclasses
from collections.abc import Callable
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array

from scoutrl.algorithms.shards import DEVICES, ON_A_DEVICE
from scoutrl.envs import Spec
from scoutrl.envs.host import HostFamily
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.training.iteration import ChunkMetrics
from scoutrl.training.state import TrainingState
from scoutrl.trials.watch import earliest

_ALL, _SPLIT = PartitionSpec(), PartitionSpec(DEVICES)


@final
class Shards:
    """Shards on devices, as many on each: the largest number of devices that divides the number of shards.

    Networks, averages, optimisers and counters are on all devices, the replay is split by its leading axis. Shards that
    share a device are vmapped.
    """

    def __init__(self, count: int):
        """Place `count` shards."""
        self.count = count
        """Shards in all."""
        devices = jax.local_devices()
        used = max(n for n in range(1, min(count, len(devices)) + 1) if count % n == 0)
        # A shard with a device of its own is not vmapped, and so computed faster. Yet it finds both axes.
        self._alone = used == count
        axes = (DEVICES, ON_A_DEVICE) if self._alone else (DEVICES,)
        placed = np.array(devices[:used]).reshape(used, *[1] * (len(axes) - 1))
        self._mesh = Mesh(placed, axes, axis_types=(AxisType.Auto,) * len(axes))

    def place(self, state: TrainingState) -> TrainingState:
        """`state` on the devices; what lies there already stays."""
        return jax.device_put(state, self._placed(state))

    def shapes(self, like: TrainingState) -> TrainingState:
        """The shapes in `like`, with where each array lies."""
        return jax.tree.map(
            lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place), like, self._placed(like)
        )

    def advance(self, chunk: Callable[[TrainingState], tuple[TrainingState, ChunkMetrics]]) -> Callable:
        """`chunk`, of the arrays of one shard's state, for all shards; the reports come one per shard.

        Each shard draws from a key of its own.
        """

        def on_device(state: TrainingState, numbers: Array) -> tuple[TrainingState, ChunkMetrics]:
            def one(replay: Any, number: Array) -> tuple[TrainingState, ChunkMetrics]:
                own = dataclasses.replace(_with_replay(state, replay), key=jax.random.fold_in(state.key, number))
                return chunk(own)

            each, reports = self._each(one)(state.algorithm.replay, numbers)
            alike = jax.tree.map(lambda leaf: leaf[0], _with_replay(each, None))
            return dataclasses.replace(_with_replay(alike, each.algorithm.replay), key=state.key), reports

        def advance(state: TrainingState) -> tuple[TrainingState, ChunkMetrics]:
            specs = _specs(state)
            mapped = self._map(on_device, (specs, _SPLIT), (specs, _SPLIT))
            return mapped(state, jnp.arange(self.count))

        return advance

    def evaluate(self, function: Callable[[TrainingState], Any]) -> Callable:
        """`function`, which looks at no replay, on every device alike: none waits for another."""
        return lambda state: self._map(function, (_specs(state),), _ALL)(state)

    def together(self, reports: ChunkMetrics) -> ChunkMetrics:
        """The reports of all shards, on the host, as one."""
        return ChunkMetrics(
            {name: values.mean(dtype=np.float64).astype(np.float32) for name, values in reports.metrics.items()},
            reports.env_steps.sum(),
            reports.finite.all(axis=0),
            jax.device_get(earliest(reports.fault)),
        )

    def _each(self, function: Callable) -> Callable:
        """`function` of one shard for all those of a device, by a leading axis."""
        if not self._alone:
            return jax.vmap(function, axis_name=ON_A_DEVICE)

        def only(*arguments: Any) -> Any:
            return jax.tree.map(lambda x: x[None], function(*jax.tree.map(lambda x: x[0], arguments)))

        return only

    def _map(self, function: Callable, takes: Any, gives: Any) -> Callable:
        # What comes out alike does so because every device computes it alike, which JAX cannot know.
        return jax.shard_map(function, mesh=self._mesh, in_specs=takes, out_specs=gives, check_vma=False)

    def _placed(self, state: TrainingState) -> TrainingState:
        return jax.tree.map(lambda spec: NamedSharding(self._mesh, spec), _specs(state))


def check_shards(count: int, spec: Spec, seeds: int, show: bool) -> None:
    """Refuse what cannot be split; with `show`, say where cores lie idle.

    Raises:
        ScoutError: environments on the host, or several seeds in one program.
    """
    if count > 1 and isinstance(spec, HostFamily):
        raise ScoutError(f"environments on the host cannot be split over devices; leave out shards={count}.")
    if count > 1 and seeds > 1:
        raise ScoutError(
            f"several seeds in one program cannot be split as well; leave out shards={count}, or train the seeds in "
            "processes of their own (--seeds-mode processes)."
        )
    if show and 1 == jax.local_device_count() < count and jax.default_backend() == "cpu":
        tell(
            f"All {count} shards are computed on one core: JAX has started with one device. Have it make more before "
            f'anything computes: jax.config.update("jax_num_cpu_devices", {count})'
        )


def _with_replay(state: TrainingState, replay: Any) -> TrainingState:
    return dataclasses.replace(state, algorithm=dataclasses.replace(state.algorithm, replay=replay))


def _specs(state: TrainingState) -> TrainingState:
    """How each array of a state is split."""
    alike = jax.tree.map(lambda _: _ALL, state)
    return _with_replay(alike, jax.tree.map(lambda _: _SPLIT, state.algorithm.replay))
