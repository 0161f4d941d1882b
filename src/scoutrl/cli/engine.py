"""The options of `scout` that say on which machines several runs are trained. Importing this is quick."""

import dataclasses
from typing import Annotated, Literal

from cyclopts import Parameter

from scoutrl.cli.options import Amount
from scoutrl.engines.cluster import Cluster
from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Where several runs are trained."""

    engine: Literal["local", "ray"] = "local"
    """Where several runs are trained: on this machine, or on a Ray cluster (pip install 'scoutrl[ray]')."""
    address: Annotated[str | None, Parameter(metavar="HOST:PORT")] = None
    """Head of the Ray cluster, or "auto" on one of its machines; without it, a cluster of this machine alone."""
    cpus_per_run: Amount | None = None
    """CPU cores that each run takes of the Ray cluster; without it, 1."""
    gpus_per_run: Amount | None = None
    """GPUs that each run takes of the Ray cluster, 0.5 for two runs on one; without it, none."""
    storage: Annotated[str | None, Parameter(metavar="DIR|URI")] = None
    """Where the Ray cluster keeps runs while they are trained: all its machines reach it; without it, beside them."""

    def meant(self) -> Literal["local"] | Cluster:
        """As the functions in Python take it.

        Raises:
            ScoutError: an option that does nothing.
        """
        if self.engine == "ray":
            return Cluster(self.address, self.cpus_per_run or 1.0, self.gpus_per_run or 0.0, self.storage)
        given = [field.name for field in dataclasses.fields(self)[1:] if getattr(self, field.name) is not None]
        if given:
            raise ScoutError(f"--{given[0].replace('_', '-')} is for the engine ray; add --engine ray.")
        return "local"


Where = Annotated[EngineOptions, Parameter("*")]
"""Options of a command that trains several runs."""
HERE = EngineOptions()
"""None of them given."""
