"""A Ray cluster as users ask for it. Importing this imports no Ray."""

import dataclasses
import importlib.util
import math
import os
from pathlib import Path

from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The machines of a Ray cluster, and what each run takes of them."""

    address: str | None = None
    """HOST:PORT of the cluster's head, or "auto" on one of its machines; None makes one of this machine alone."""
    cpus_per_run: float = 1.0
    """CPU cores that each run takes, above 0."""
    gpus_per_run: float = 0.0
    """GPUs that each run takes; a half lets two runs share one."""
    storage: str | None = None
    """Directory or URI (s3://…) that all machines reach, where runs are kept while they are trained; None is a
    directory beside the runs."""

    def check(self) -> None:
        """Check what can be checked without the cluster.

        Raises:
            ScoutError: Ray is not installed, or a run would take nothing.
        """
        if importlib.util.find_spec("ray") is None:
            raise ScoutError("the engine ray needs Ray, which is not installed: pip install 'scoutrl[ray]'.")
        if not 0 < self.cpus_per_run < math.inf or not 0 <= self.gpus_per_run < math.inf:
            raise ScoutError("a run needs cpus-per-run above 0, and gpus-per-run of at least 0.")

    def storage_for(self, within: Path) -> str:
        """The directory or URI for the runs in the directory `within`."""
        place = str(within / ".ray") if self.storage is None else self.storage
        return place if "://" in place else os.path.abspath(place)
