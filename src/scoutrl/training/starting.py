"""How JAX starts in several processes that have found each other."""

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax._src.lib import _jax  # pyright: ignore[reportPrivateImportUsage]
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array

from scoutrl.errors import ScoutError
from scoutrl.quiet import silence_libraries
from scoutrl.training.signals import aside
from scoutrl.training.team import Team

_START = 120
"""Seconds that it may take."""
_UNNOTICED = 600
"""Seconds until JAX notices by itself that a process is gone, and ends the others: `Channel` notices sooner."""


def start_jax(team: Team, coordinator: str, own_address: str, shards: int) -> None:
    """Start JAX, with the devices of all processes of a team.

    Args:
        team: the processes.
        coordinator: HOST:PORT of this machine at which JAX reaches its coordinator.
        own_address: at which the other processes reach this one.
        shards: of the run.

    Raises:
        ScoutError: JAX has computed in this process before, or the devices do not reach each other.
    """
    team.wait(aside(lambda: _initialize(team, coordinator)))
    with _reached_at(own_address):
        team.wait(aside(lambda: _first_computation(team, shards)))


def _initialize(team: Team, coordinator: str) -> None:
    # JAX goes to a port of this machine, where no proxy helps. It would attend to SIGTERM itself.
    os.environ.setdefault("no_grpc_proxy", "127.0.0.1")
    if "jax_enable_preemption_service" in jax.config.values:
        jax.config.update("jax_enable_preemption_service", False)
    try:
        with silence_libraries():
            jax.distributed.initialize(
                coordinator,
                team.processes,
                team.process,
                cluster_detection_method="deactivate",
                initialization_timeout=_START,
                heartbeat_timeout_seconds=_UNNOTICED,
                shutdown_timeout_seconds=_START,
            )
    except RuntimeError as error:
        raise ScoutError(
            f"JAX cannot join other processes ({str(error).splitlines()[0]}); nothing may have been computed with it "
            "before in this process, and a process can take part in one run only."
        ) from error


@contextlib.contextmanager
def _reached_at(address: str) -> Iterator[None]:
    """Where devices are processors, have those of other hosts reach this one's at `address`.

    Otherwise it is what the host's own name means on it, which may be 127.0.1.1; JAX has no setting for that.
    """
    make = getattr(_jax, "make_gloo_tcp_collectives", None)
    if make is None:
        yield
        return
    _jax.make_gloo_tcp_collectives = functools.partial(make, hostname=address)
    try:
        yield
    finally:
        _jax.make_gloo_tcp_collectives = make


def _first_computation(team: Team, shards: int) -> None:
    """Have the devices meet: where they are processors, their library tells so on stdout, which is kept for results."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        _gather_something(team.devices(shards))
    except (RuntimeError, ValueError) as error:
        raise ScoutError(
            f"the devices of the processes do not reach each other ({str(error).splitlines()[0]}); are all ports "
            "between their hosts open?"
        ) from error
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _gather_something(devices: list[Any]) -> None:
    axes = "devices", "one"
    mesh = Mesh(np.array(devices).reshape(-1, 1), axes)
    split, alike = PartitionSpec(axes), PartitionSpec()
    placed = NamedSharding(mesh, split)
    numbers = jax.make_array_from_callback((len(devices),), placed, lambda _: np.zeros(1, np.float32))

    def gather(x: Array) -> Array:
        return jax.lax.all_gather(jax.lax.all_gather(x, "one"), "devices")

    program = jax.jit(jax.shard_map(gather, mesh=mesh, in_specs=split, out_specs=alike, check_vma=False))
    program(numbers).block_until_ready()
