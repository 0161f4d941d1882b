"""The way of JAX to its coordinator, through this process, so that JAX does not notice when the coordinator dies.

JAX would end the process that notices on the spot, in C++ and with a stack trace, before anybody could say what has
happened and what to do (jax.distributed has no way to be told otherwise).
"""

import contextlib
import socket
import threading

_PIECE = 2**16
"""Bytes that are handed on at a time."""


def relay(host: str, port: int) -> int:
    """Hand on, both ways, what comes to a port of this machine, which is returned, to `host` and its `port`."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            near, _ = server.accept()
            try:
                far = socket.create_connection((host, port))
            except OSError:
                near.close()  # JAX tries again
                continue
            # What JAX ends is ended; what the coordinator ends stays open.
            _start(_copy, near, far, True)
            _start(_copy, far, near, False)

    _start(serve)
    return server.getsockname()[1]


def _copy(source: socket.socket, target: socket.socket, ends: bool) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    if ends:
        source.close()
        target.close()


def _start(work, *arguments) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()
