"""How the processes of a run find each other, before JAX starts in any of them."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import jax

from scoutrl._platform import split_processor
from scoutrl._version import installed_version
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.training.channel import Channel
from scoutrl.training.hosts import Hosts
from scoutrl.training.relay import relay
from scoutrl.training.starting import start_jax
from scoutrl.training.team import ALONE, Team

PATIENCE = 300.0
"""Seconds to wait for the other processes to be started."""
_GREETING = 10.0
"""Seconds that who has connected may take to say who it is."""
_AGAIN = 0.5
"""Seconds between two tries to reach process 0."""


@contextlib.contextmanager
def joined(hosts: Hosts | None, shards: int, show: bool) -> Iterator[Team]:
    """All processes of a run, from when they have found each other until they part.

    Args:
        hosts: which they are; None: this one alone.
        shards: of the run.
        show: tell on stderr who is waited for.

    Raises:
        ScoutError: a process does not come in time, or JAX has computed in this one before.
    """
    if hosts is None:
        yield ALONE
        return
    hosts = hosts.checked(shards)
    assert hosts.processes is not None
    assert hosts.process is not None
    split_processor(shards)
    meet = _wait_for_others if hosts.process == 0 else _go_to_first
    channels, port = meet(hosts, hosts.processes, hosts.process, show)
    with Team(hosts.process, hosts.processes, channels) as team:
        for channel in channels:
            channel.start()
        start_jax(team, f"127.0.0.1:{port}", channels[0].own_address, shards)
        yield team


def _wait_for_others(hosts: Hosts, processes: int, _: int, show: bool) -> tuple[list[Channel], int]:
    """Channels to all other processes, and the port that JAX shall have."""
    host, port = hosts.address
    found: dict[int, Channel] = {}
    try:
        server = socket.create_server(("", port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ScoutError(f"port {port} of this machine cannot be had ({error.strerror}); name another one.") from error
    if show:
        tell(f"Waiting at {hosts.coordinator} for {processes - 1} of {processes} processes …")
    until = time.monotonic() + PATIENCE
    with server:
        while missing := set(range(1, processes)) - found.keys():
            server.settimeout(max(until - time.monotonic(), 0.001))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                who = ", ".join(map(str, sorted(missing)))
                raise ScoutError(
                    f"process {who} of {processes} did not come to {hosts.coordinator} within {PATIENCE:.0f} seconds: "
                    "start all of them, with an address that they reach."
                ) from None
            found |= _greeted(connection, processes, missing)
    with socket.create_server(("", 0)) as free:
        jax_port = free.getsockname()[1]
    for channel in found.values():
        channel.send("welcome", port=jax_port)
    return [found[i] for i in sorted(found)], jax_port


def _greeted(connection: socket.socket, processes: int, missing: set[int]) -> dict[int, Channel]:
    """Who has connected, if it is one of those that are missing; another one is told why it is refused."""
    connection.settimeout(_GREETING)
    try:
        channel = Channel(connection)
        said = channel.read().content
        who = said.pop("process")
    except (OSError, ValueError, KeyError, TypeError):
        connection.close()  # it is something else
        return {}
    wanted = _greeting(processes)
    if who in missing and said == wanted:
        return {who: channel}
    other = [name for name, value in wanted.items() if said.get(name) != value]
    differs = ", ".join(f"{name} is {said.get(name)} there and {wanted[name]} here" for name in other)
    channel.close(differs or f"process {who} has come already, or is none of {processes}")
    return {}


def _go_to_first(hosts: Hosts, processes: int, process: int, show: bool) -> tuple[list[Channel], int]:
    """The channel to process 0, and the port of this machine at which JAX reaches its coordinator."""
    if show:
        tell(f"Process {process} of {processes} goes to {hosts.coordinator}, where progress and the run directory are.")
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection = socket.create_connection(hosts.address, _GREETING)
            break
        except OSError as error:
            # A name that nobody knows will not be known later.
            if isinstance(error, socket.gaierror) or time.monotonic() > until:
                reason = error.strerror or error
                raise ScoutError(f"process 0 cannot be reached at {hosts.coordinator} ({reason}).") from error
            time.sleep(_AGAIN)
    channel = Channel(connection)
    channel.send("hello", process=process, **_greeting(processes))
    connection.settimeout(PATIENCE + _GREETING)
    try:
        answer = channel.read().content
    except (OSError, ValueError, KeyError, TypeError) as error:
        connection.close()
        raise ScoutError(f"who answers at {hosts.coordinator} is not, or no longer, process 0 of a run.") from error
    if "port" not in answer:
        connection.close()
        raise ScoutError(f"process 0 at {hosts.coordinator} has refused this one: {answer.get('why')}.")
    return [channel], relay(hosts.address[0], answer["port"])


def _greeting(processes: int) -> dict[str, Any]:
    """What all processes have to agree in before they start."""
    return {"processes": processes, "version of scoutrl": installed_version(), "version of jax": jax.__version__}
