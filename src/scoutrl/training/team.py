"""The processes that train one run together: what they tell each other, and how they notice that one is gone."""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar, final

import jax
import numpy as np

from scoutrl.errors import ScoutError
from scoutrl.training.channel import Channel, EndedError, Message
from scoutrl.training.signals import Interrupted, StopSignals

_A_MOMENT = 5.0
"""Seconds in which it becomes known which process is gone, once a computation has failed for it."""
_FAILED = 2
"""Exit code of a program that did not reach its end."""
Result = TypeVar("Result")


@final
class Team:
    """The processes that train one run together, seen from one of them; most runs have a single one.

    Process 0 leads: it has the run directory, takes all decisions that depend on clocks, signals or files, and orders
    the others to do what it does itself. They know nothing but the state, of which each has its shards.
    """

    def __init__(self, process: int = 0, processes: int = 1, channels: Sequence[Channel] = ()):
        """Be one of several.

        Args:
            process: its number.
            processes: how many there are.
            channels: of process 0 to all others in their order; of the others to process 0.
        """
        self.process, self.processes = process, processes
        self._channels = channels
        self._others = range(1, processes) if process == 0 else (0,)

    @property
    def leads(self) -> bool:
        """Whether this process has the run directory."""
        return self.process == 0

    def devices(self, shards: int) -> list[Any]:
        """Devices for so many shards, process by process: as many in each, and as many shards on each."""
        if self.processes == 1:
            own = [jax.local_devices()]
        else:
            own = [[one for one in jax.devices() if one.process_index == i] for i in range(self.processes)]
        most = min(shards // self.processes, *map(len, own))
        each = max(n for n in range(1, most + 1) if shards % (n * self.processes) == 0)
        return [device for some in own for device in some[:each]]

    def heed(self, stop: StopSignals) -> None:
        """Let process 0 know of signals that this one is sent."""
        for channel in self._channels:
            channel.poll_signal = lambda: stop.received

    @property
    def signum(self) -> int | None:
        """A signal that another process was sent; None as long as none was."""
        return next((channel.signum for channel in self._channels if channel.signum is not None), None)

    def order(self, kind: str, arrays: Sequence[Mapping[str, np.ndarray]] = (), **content: Any) -> None:
        """Tell all others, if this process leads; each is given its part of `arrays`."""
        if self.leads:
            for i, channel in enumerate(self._channels):
                channel.send(kind, arrays[i] if arrays else {}, **content)

    def collect(self, arrays: Mapping[str, np.ndarray]) -> list[Mapping[str, np.ndarray]]:
        """The `arrays` of all processes in their order; others than the first get no more than their own.

        Raises:
            ScoutError, Interrupted: as `hear`.
        """
        if self.leads:
            return [arrays, *(message.arrays for message in self.hear())]
        self._channels[0].send("report", arrays)
        return [arrays]

    def hear(self) -> Iterator[Message]:
        """What each of the others says next: the answers of all to process 0, or its next order.

        Raises:
            ScoutError: one of them is gone.
            Interrupted: process 0 was stopped.
        """
        for who, channel in zip(self._others, self._channels, strict=True):
            try:
                yield channel.receive()
            except EndedError as ended:
                raise self._told(who, ended) from ended

    def wait(self, future: Future[Result]) -> Result:
        """The result of a computation that all take part in.

        Raises:
            ScoutError, Interrupted: as `hear`.
        """
        if not self._channels:
            return future.result()
        ended = [channel.ended for channel in self._channels]
        either: list[Future[Any]] = [future, *ended]
        futures.wait(either, return_when=futures.FIRST_COMPLETED)
        if not future.done() or future.exception() is not None:
            # A computation of all fails as soon as one of them is gone; which one, is known a moment later.
            futures.wait(ended, _A_MOMENT, futures.FIRST_COMPLETED)
            for who, one in zip(self._others, ended, strict=True):
                if one.done():
                    raise self._told(who, one.result())
        return future.result()

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, _: type | None, error: BaseException | None, __: TracebackType | None) -> None:
        if not self._channels:
            return
        signum = getattr(error, "signum", signal.SIGINT if isinstance(error, KeyboardInterrupt) else None)
        why = None if error is None else " ".join(str(error).split()) or "It was stopped."
        for channel in self._channels:
            channel.close(why, signum)
        if error is None:
            jax.distributed.shutdown()
        else:
            # At exit JAX would wait for all processes, and then end this one with a stack trace.
            atexit.register(_leave)

    def _told(self, who: int, ended: EndedError) -> BaseException:
        if who == 0 and ended.signum is not None:
            return Interrupted(str(ended), ended.signum)
        if who == 0 and ended.said:
            return ScoutError(f"process 0 has stopped: {ended}")
        what = f"has stopped: {ended}" if ended.said else f"{ended}."
        address = self._channels[max(0, who - 1)].address
        return ScoutError(
            f"process {who} ({address}) {what} The last checkpoint is kept; the same commands, given to all processes "
            "again, go on from there."
        )


ALONE = Team()
"""The one process of a run that has no others."""


def _leave() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(_FAILED)
