"""Scout: meta-reinforcement learning that explores unseen problems, then solves them.

The public names are imported when they are first used, so that `scout --help` need not wait for JAX.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scoutrl.api import Run as Run
    from scoutrl.api import bounds as bounds
    from scoutrl.api import check as check
    from scoutrl.api import compare as compare
    from scoutrl.api import coupling as coupling
    from scoutrl.api import evaluate as evaluate
    from scoutrl.api import exploration_length as exploration_length
    from scoutrl.api import export as export
    from scoutrl.api import film as film
    from scoutrl.api import load as load
    from scoutrl.api import report as report
    from scoutrl.api import train as train
    from scoutrl.deploy import DeployedAgent as DeployedAgent
    from scoutrl.engines.cluster import Cluster as Cluster
    from scoutrl.envs.base import MetaEnv as MetaEnv
    from scoutrl.envs.base import Spaces as Spaces
    from scoutrl.envs.base import Step as Step
    from scoutrl.envs.host.make import from_gymnasium as from_gymnasium
    from scoutrl.envs.interactive import HostEnv as HostEnv
    from scoutrl.envs.interactive import InteractiveEnv as InteractiveEnv
    from scoutrl.envs.problems import ProblemSet as ProblemSet
    from scoutrl.envs.registry import make as make
    from scoutrl.envs.suites import from_brax as from_brax
    from scoutrl.envs.suites import from_gymnax as from_gymnax
    from scoutrl.envs.suites import from_timestep as from_timestep
    from scoutrl.errors import ScoutError as ScoutError
    from scoutrl.evaluation.scores import Evaluation as Evaluation
    from scoutrl.results.comparison import Comparison as Comparison
    from scoutrl.results.comparison import read_comparison as read_comparison
    from scoutrl.training.hosts import Hosts as Hosts

    __version__: str

_WHERE = {
    "HostEnv": "scoutrl.envs.interactive",
    "Cluster": "scoutrl.engines.cluster",
    "Comparison": "scoutrl.results.comparison",
    "DeployedAgent": "scoutrl.deploy",
    "Evaluation": "scoutrl.evaluation.scores",
    "Hosts": "scoutrl.training.hosts",
    "InteractiveEnv": "scoutrl.envs.interactive",
    "MetaEnv": "scoutrl.envs.base",
    "ProblemSet": "scoutrl.envs.problems",
    "Run": "scoutrl.api",
    "ScoutError": "scoutrl.errors",
    "Spaces": "scoutrl.envs.base",
    "Step": "scoutrl.envs.base",
    "bounds": "scoutrl.api",
    "check": "scoutrl.api",
    "compare": "scoutrl.api",
    "coupling": "scoutrl.api",
    "evaluate": "scoutrl.api",
    "exploration_length": "scoutrl.api",
    "export": "scoutrl.api",
    "film": "scoutrl.api",
    "from_brax": "scoutrl.envs.suites.brax_like",
    "from_gymnasium": "scoutrl.envs.host.make",
    "from_gymnax": "scoutrl.envs.suites.gymnax_like",
    "from_timestep": "scoutrl.envs.suites.timestep_like",
    "load": "scoutrl.api",
    "make": "scoutrl.envs.registry",
    "read_comparison": "scoutrl.results.comparison",
    "report": "scoutrl.api",
    "train": "scoutrl.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from scoutrl._version import installed_version

        return installed_version()
    if name not in _WHERE:
        raise AttributeError(f"module 'scoutrl' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*_WHERE, "__version__"]
