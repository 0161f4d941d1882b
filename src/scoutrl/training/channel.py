"""Messages between two processes of a run: JSON, with arrays behind it. Nothing that is read is ever executed."""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from typing import Any, NamedTuple, final

import jax.numpy as jnp
import numpy as np

from scoutrl.runs.tensors import raw_bytes

SILENCE = 60.0
"""Seconds without a word after which the other process is taken for lost."""
_ALIVE_EVERY = 1.0
"""Seconds between two signs of life."""
_PARTING = 5.0
"""Seconds that the other process is given to close the connection."""
_PIECE = 2**20
"""Bytes that are sent at a time."""
_LONGEST = 2**24
"""Bytes of JSON in a message, at most."""
_ALIVE, END = "alive", "end"
_NONE: Mapping[str, np.ndarray] = {}


class Message(NamedTuple):
    """What one process tells another."""

    kind: str
    content: dict[str, Any]
    arrays: dict[str, np.ndarray]


class EndedError(Exception):
    """The other process will say nothing more, though it did not come to the end of its work."""

    def __init__(self, why: str, said: bool = False, signum: int | None = None):
        super().__init__(why)
        self.said = said
        """It said itself why; otherwise it is lost."""
        self.signum = signum
        """The signal that stopped it, if it said so."""


@final
class Channel:
    """Both directions of a connection, with signs of life, so that neither side waits for one that is gone."""

    def __init__(self, connection: socket.socket):
        """Speak over `connection`, which is closed by `close`."""
        self.ended: Future[EndedError] = Future()
        """Why the other process will say nothing more; done once it is so, unless it came to the end of its work."""
        self.signum: int | None = None
        """A signal that the other process has been sent, and wants all to stop for."""
        self.poll_signal: Callable[[], int | None] = lambda: None
        """The same of this one."""
        self.address: str = connection.getpeername()[0]
        """Of the other process's machine."""
        self.own_address: str = connection.getsockname()[0]
        """Of this one, as the other reaches it."""
        self._connection = connection
        self._received: queue.SimpleQueue[Message | EndedError] = queue.SimpleQueue()
        self._sending = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._keep_alive)]

    def start(self) -> None:
        """Listen from now on, and give signs of life."""
        self._connection.settimeout(SILENCE)
        for thread in self._threads:
            thread.start()

    def send(self, kind: str, arrays: Mapping[str, np.ndarray] = _NONE, **content: Any) -> None:
        """Send a message. That the other process is gone, is found out by listening to it."""
        described = [[name, array.dtype.name, array.shape] for name, array in arrays.items()]
        header = json.dumps({"kind": kind, "content": content, "arrays": described}).encode()
        try:
            with self._sending:
                self._connection.sendall(len(header).to_bytes(4, "little") + header)
                for array in arrays.values():
                    self._send_raw(raw_bytes(np.asarray(array, order="C")))
        except TimeoutError:
            self._end(_silent())
        except OSError:
            return

    def receive(self) -> Message:
        """The next message.

        Raises:
            EndedError: there is none.
        """
        found = self._received.get()
        if isinstance(found, EndedError):
            self._received.put(found)
            raise found
        return found

    def close(self, why: str | None = None, signum: int | None = None) -> None:
        """Say that this process has come to the end of its work, or `why` it has not."""
        self._over.set()
        self.send(END, why=why, signum=signum)
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        if self._threads[0].is_alive():
            # What is closed with something unread in it takes back what was just sent.
            self._threads[0].join(_PARTING)
        self._connection.close()

    def _send_raw(self, raw: memoryview) -> None:
        # In pieces, each of which has to be taken in time.
        for begin in range(0, len(raw), _PIECE):
            self._connection.sendall(raw[begin : begin + _PIECE])

    def _listen(self) -> None:
        try:
            while (message := self.read()).kind != END:
                if message.kind == _ALIVE:
                    self.signum = message.content["signum"]
                else:
                    self._received.put(message)
        except TimeoutError:
            return self._end(_silent())
        except (OSError, ValueError, KeyError, TypeError):
            return self._end(EndedError("has ended"))
        if (why := message.content.get("why")) is not None:
            return self._end(EndedError(why, True, message.content.get("signum")))
        self._received.put(message)

    def read(self) -> Message:
        """The next message, by a process that has not called `start` yet.

        Raises:
            OSError, ValueError, KeyError, TypeError: the connection is gone, or it is another kind of program's.
        """
        length = int.from_bytes(self._read_raw(4), "little")
        if length > _LONGEST:
            raise ValueError(length)
        header = json.loads(bytes(self._read_raw(length)))
        arrays = {name: np.empty(shape, jnp.dtype(kind)) for name, kind, shape in header["arrays"]}
        for array in arrays.values():
            self._read_into(raw_bytes(array))
        return Message(header["kind"], header["content"], arrays)

    def _read_raw(self, length: int) -> bytearray:
        found = bytearray(length)
        self._read_into(memoryview(found))
        return found

    def _read_into(self, place: memoryview) -> None:
        while place:
            count = self._connection.recv_into(place)
            if not count:
                raise ConnectionError("closed")
            place = place[count:]

    def _keep_alive(self) -> None:
        while not self._over.wait(_ALIVE_EVERY) and not self.ended.done():
            self.send(_ALIVE, signum=self.poll_signal())

    def _end(self, why: EndedError) -> None:
        if self._over.is_set():
            return
        with contextlib.suppress(InvalidStateError):  # the two threads may find out at once
            self.ended.set_result(why)
            self._received.put(why)


def _silent() -> EndedError:
    return EndedError(f"has not answered for {SILENCE:.0f} seconds")
