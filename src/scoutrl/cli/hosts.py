"""The options of `scout train` that say which processes train one run together. Importing this is quick."""

import dataclasses
from typing import Annotated

from cyclopts import Parameter

from scoutrl.cli.options import Count, Seed
from scoutrl.errors import ScoutError
from scoutrl.training.hosts import Hosts


@dataclasses.dataclass(frozen=True, kw_only=True)
class HostOptions:
    """Processes that train one run in shards, as a rule one on each host, each started with the same command."""

    coordinator: Annotated[str | None, Parameter(metavar="HOST:PORT")] = None
    """Train one run in several processes, which find each other at this address, with a free port, of process 0."""
    processes: Count | None = None
    """How many processes there are; without it, as many as srun or mpirun has started."""
    process: Seed | None = None
    """Which of them this one is, from 0; without it, as srun or mpirun says. Process 0 has the run directory."""

    def meant(self, shards: int) -> Hosts | None:
        """As the functions in Python take it, for a run in so many shards.

        Raises:
            ScoutError: an option that does nothing, or as `Hosts.checked`.
        """
        if self.coordinator is not None:
            return Hosts(self.coordinator, self.processes, self.process).checked(shards)
        given = [name for name in ("processes", "process") if getattr(self, name) is not None]
        if given:
            raise ScoutError(f"--{given[0]} is for several processes; add --coordinator HOST:PORT.")
        return None


Together = Annotated[HostOptions, Parameter("*")]
"""Options of a command that trains one run."""
APART = HostOptions()
"""None of them given."""
