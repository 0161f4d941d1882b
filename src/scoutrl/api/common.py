"""What the functions that users call have in common."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from scoutrl.engines.cluster import Cluster
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.runs.families import build

Engine = Literal["local", "ray"] | Cluster
"""Where several runs are trained: this machine, a Ray cluster of it alone, or the cluster that is meant."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training run; `evaluate` and `load` take it."""

    path: Path
    """Its directory. With several seeds it holds one run directory per seed."""
    env: Spec | None = None
    """The family, if it was handed over as an object."""

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)


def cluster_of(engine: Engine) -> Cluster | None:
    """The cluster to train on; None for this machine without one."""
    if engine == "local":
        return None
    if not isinstance(engine, Cluster) and engine != "ray":
        raise ScoutError(f"engine must be local, ray, or a scoutrl.Cluster; it is {engine!r}.")
    cluster = engine if isinstance(engine, Cluster) else Cluster()
    cluster.check()
    return cluster


def family_of(env: str | Spec | None, runs: Sequence[Run | str | os.PathLike[str]]) -> Spec | None:
    """The family asked for, else the one that a run was handed as an object."""
    if isinstance(env, str):
        return build(env, {})
    return env if env is not None else next((r.env for r in runs if isinstance(r, Run) and r.env is not None), None)
