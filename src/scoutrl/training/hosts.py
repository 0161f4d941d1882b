"""Which processes train one run together, as a rule one on each host. Importing this is quick."""

import dataclasses
import os
from typing import Any

from scoutrl.errors import ScoutError
from scoutrl.runs.settings import counted

_LAUNCHERS = {
    "SLURM_STEP_NUM_TASKS": "SLURM_PROCID",
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",
    "PMI_SIZE": "PMI_RANK",
}
"""Where Slurm, Open MPI and other launchers say how many processes they have started, and which of them this one is."""
_MOST = 1024
"""The most processes of a run."""


@dataclasses.dataclass(frozen=True)
class Hosts:
    """The processes that train one run together, seen from one of them."""

    coordinator: str
    """HOST:PORT at which the others reach process 0, which waits for them there. The port must be free."""
    processes: int | None = None
    """How many there are, at least 2; None: as many as srun or mpirun has started."""
    process: int | None = None
    """Which of them this one is, from 0; None: as srun or mpirun says. Process 0 has the run directory."""

    def checked(self, shards: int) -> "Hosts":
        """The same with nothing left to a launcher.

        Args:
            shards: of the run.

        Raises:
            ScoutError: a number is missing or impossible, or the shards cannot be split evenly among the processes.
        """
        variables = next((names for names in _LAUNCHERS.items() if names[0] in os.environ), ("", ""))
        processes = _whole("processes", self.processes, variables[0], 2)
        process = _whole("process", self.process, variables[1], 0)
        if process >= processes:
            raise ScoutError(f"the last of {processes} processes is process {processes - 1}; there is no {process}.")
        if shards == 1:
            raise ScoutError(f"{processes} processes train a run of as many shards, or a multiple; set shards.")
        if shards % processes:
            raise ScoutError(f"shards ({shards}) must be a multiple of the number of processes ({processes}).")
        _address(self.coordinator)
        return Hosts(self.coordinator, processes, process)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the coordinator."""
        return _address(self.coordinator)


def _address(coordinator: str) -> tuple[str, int]:
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ScoutError(f"coordinator must be HOST:PORT, for example 10.0.0.1:7733; {coordinator!r} is not.")
    return host.strip("[]"), int(port)


def _whole(name: str, value: Any, variable: str, least: int) -> int:
    value = os.environ.get(variable) if value is None else value
    if value is None:
        raise ScoutError(f"{name} is missing: under srun and mpirun it is known, and elsewhere it has to be given.")
    return counted(name, value, least, _MOST)
