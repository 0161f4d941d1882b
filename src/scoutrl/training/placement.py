"""Where the state of a run in shards lies: on which devices of which processes, and how it comes there."""

import dataclasses
from typing import Any, final

import jax
import numpy as np
from jax.experimental.multihost_utils import global_array_to_host_local_array, host_local_array_to_global_array
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from scoutrl.algorithms.shards import DEVICES, ON_A_DEVICE
from scoutrl.runs.arrays import from_arrays, to_arrays
from scoutrl.training.iteration import Asked
from scoutrl.training.state import TrainingState, with_replay
from scoutrl.training.team import Team

ALL, SPLIT = PartitionSpec(), PartitionSpec(DEVICES)


@final
class Placement:
    """Networks, averages, optimisers and counters are on all devices; what comes by shard is split."""

    def __init__(self, count: int, team: Team):
        """Place `count` shards on the devices of a team."""
        devices = team.devices(count)
        # A shard with a device of its own is not vmapped, and so computed faster. Yet it finds both axes.
        self.alone = len(devices) == count
        """Each shard has a device of its own."""
        axes = (DEVICES, ON_A_DEVICE) if self.alone else (DEVICES,)
        placed = np.array(devices).reshape(len(devices), *[1] * (len(axes) - 1))
        self.mesh = Mesh(placed, axes, axis_types=(AxisType.Auto,) * len(axes))
        """The devices; where shards are alone, with both axes."""
        self._team, self._rows = team, count // team.processes
        self._everywhere = jax.jit(lambda tree: tree, out_shardings=NamedSharding(self.mesh, ALL))

    def shapes(self, like: TrainingState) -> TrainingState:
        """The shapes in `like`, with where each array lies."""
        return jax.tree.map(self._placed_at, like, specs_of(like))

    def split_shapes(self, like: Any) -> Any:
        """The shapes in `like`, which comes by shard, with where each array lies."""
        return jax.tree.map(lambda leaf: self._placed_at(leaf, SPLIT), like)

    def asked(self, asked: Asked) -> Asked:
        """Problems, by shard, on the devices, and the rest on all of them."""
        part = dataclasses.replace(asked, problems=asked.problems[self._rows_of(self._team.process)])
        return host_local_array_to_global_array(part, self.mesh, Asked(ALL, SPLIT, ALL))  # pyright: ignore

    def spread(self, state: TrainingState) -> TrainingState:
        """A state on the devices: that of the first process, which hands it out to the others.

        Args:
            state: in other processes shapes suffice.

        Raises:
            ScoutError, Interrupted: as `Team.hear`.
        """
        if self._team.leads:
            parts = [self._part(state, process) for process in range(self._team.processes)]
            self._team.order("state", [to_arrays(part) for part in parts[1:]])
            mine = parts[0]
        else:
            (message,) = self._team.hear()
            mine = from_arrays(message.arrays, self._part(state, self._team.process))
        return host_local_array_to_global_array(mine, self.mesh, specs_of(mine))

    def here(self, state: TrainingState) -> TrainingState:
        """What this process has of a state: all of it but for the shards of others in the replay."""
        return global_array_to_host_local_array(state, self.mesh, specs_of(state))

    def fetch(self, tree: Any) -> Any:
        """Arrays on the devices as those of NumPy, whole in all processes, which have to call this together."""
        return jax.device_get(tree if self._team.processes == 1 else self._everywhere(tree))

    def _part(self, state: TrainingState, process: int) -> TrainingState:
        """What a process is to have of a state, or of its shapes."""
        if self._team.processes == 1:
            return state
        rows = self._rows_of(process)

        def part(leaf: Any) -> Any:
            if isinstance(leaf, jax.ShapeDtypeStruct):
                return jax.ShapeDtypeStruct((self._rows, *leaf.shape[1:]), leaf.dtype)
            return leaf[rows]

        return with_replay(state, jax.tree.map(part, state.algorithm.replay))

    def _rows_of(self, process: int) -> slice:
        return slice(process * self._rows, (process + 1) * self._rows)

    def _placed_at(self, leaf: Any, spec: PartitionSpec) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=NamedSharding(self.mesh, spec))


def specs_of(state: TrainingState) -> TrainingState:
    """How each array of a state is split."""
    alike = jax.tree.map(lambda _: ALL, state)
    split = with_replay(alike, jax.tree.map(lambda _: SPLIT, state.algorithm.replay))
    return dataclasses.replace(split, pending=jax.tree.map(lambda _: SPLIT, state.pending))
