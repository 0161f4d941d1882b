"""The programs of a run that is split into shards, on the devices there are."""

import dataclasses
from collections.abc import Callable
from typing import Any, final

import jax
import jax.numpy as jnp
from jaxtyping import Array

from scoutrl.algorithms.shards import ON_A_DEVICE
from scoutrl.envs import Spec
from scoutrl.envs.host import HostFamily
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.training.iteration import Asked, Found, Played
from scoutrl.training.placement import ALL, SPLIT, Placement, specs_of
from scoutrl.training.state import TrainingState, with_replay


@final
class Shards:
    """Shards on devices, as many on each: the largest number of devices that divides the number of shards.

    Shards that share a device are vmapped.
    """

    def __init__(self, count: int, placement: Placement):
        """Compute `count` shards where they are placed."""
        self.count = count
        """Shards in all."""
        self._mesh, self._alone = placement.mesh, placement.alone

    def play(self, play: Callable[[TrainingState, Asked], Played]) -> Callable:
        """`play`, of the arrays of one shard's state, for all shards; problems and what is played come by shard."""

        def on_device(state: TrainingState, asked: Asked, numbers: Array) -> Played:
            def one(replay: Any, problems: Array, number: Array) -> Played:
                return play(_own(state, replay, number), dataclasses.replace(asked, problems=problems))

            return self._each(one)(state.algorithm.replay, asked.problems, numbers)

        return self._over(on_device, Asked(ALL, SPLIT, ALL), SPLIT)  # pyright: ignore[reportArgumentType]

    def learn(self, learn: Callable[[TrainingState, Played], tuple[TrainingState, Found]]) -> Callable:
        """`learn`, of the arrays of one shard's state, for all shards; what is found comes by shard."""

        def on_device(state: TrainingState, played: Played, numbers: Array) -> tuple[TrainingState, Found]:
            def one(replay: Any, played: Played, number: Array) -> tuple[TrainingState, Found]:
                return learn(_own(state, replay, number), played)

            each, found = self._each(one)(state.algorithm.replay, played, numbers)
            alike = jax.tree.map(lambda leaf: leaf[0], with_replay(each, None))
            return dataclasses.replace(with_replay(alike, each.algorithm.replay), key=state.key), found

        return self._over(on_device, SPLIT, None)

    def finite(self, finite: Callable[[TrainingState], Array]) -> Callable:
        """`finite`, of the arrays of one shard's state, for all shards."""

        def on_device(state: TrainingState, _: None, numbers: Array) -> Array:
            one = lambda replay, number: finite(_own(state, replay, number))  # noqa: E731
            return self._each(one)(state.algorithm.replay, numbers)

        finite_of = self._over(on_device, None, SPLIT)
        return lambda state: finite_of(state, None)

    def _over(self, on_device: Callable, takes: Any, gives: Any) -> Callable:
        """`on_device`, of a state, something else and numbers of shards, on all devices.

        It takes and gives as said; None is for giving a state, and something by shard.
        """

        def over(state: TrainingState, given: Any) -> Any:
            specs = specs_of(state)
            mapped = self._map(on_device, (specs, takes, SPLIT), gives or (specs, SPLIT))
            return mapped(state, given, jnp.arange(self.count))

        return over

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


def check_shards(count: int, spec: Spec, seeds: int, show: bool, processes: int = 1) -> None:
    """Refuse what cannot be split; with `show`, say where cores lie idle.

    Args:
        count: of shards.
        spec: the family.
        seeds: how many at once.
        show: say it.
        processes: that the shards are spread over.

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
    if show and 1 == jax.local_device_count() < count // processes and jax.default_backend() == "cpu":
        tell(
            f"All {count} shards are computed on one core: JAX has started with one device. Have it make more before "
            f'anything computes: jax.config.update("jax_num_cpu_devices", {count})'
        )


def _own(state: TrainingState, replay: Any, number: Array) -> TrainingState:
    """The state of a shard: each has a replay of its own, and draws from a key of its own."""
    return dataclasses.replace(with_replay(state, replay), key=jax.random.fold_in(state.key, number))
