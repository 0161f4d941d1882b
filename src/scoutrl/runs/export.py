"""A trained agent in one file of its own, to be given away: arrays and JSON in the safetensors format, no code."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from scoutrl._version import installed_version
from scoutrl.algorithms.registry import algorithms
from scoutrl.algorithms.settings import LEARNER
from scoutrl.envs import Spaces
from scoutrl.errors import ScoutError
from scoutrl.runs.agent import agent_like
from scoutrl.runs.arrays import from_arrays, to_arrays
from scoutrl.runs.config import RunConfig, checked, make_algorithm
from scoutrl.runs.files import replacing, writing
from scoutrl.runs.open import TrainedRun
from scoutrl.runs.run_dir import FORMAT, check_format
from scoutrl.runs.spaces import spaces_from_json, spaces_to_json
from scoutrl.runs.stand_in import StandIn
from scoutrl.runs.tensors import UnreadableError, read_header, read_tensors, write_tensors
from scoutrl.runs.trust import admit
from scoutrl.trials.agent import Agent

_KEY = "scoutrl"


@dataclasses.dataclass(frozen=True)
class ExportedAgent:
    """What an exported file holds."""

    agent: Agent
    spaces: Spaces
    horizon: int
    exploration_episodes: int
    """Exploration episodes the agent was trained for."""
    exploitation_episodes: int
    """Exploitation episodes the agent was trained for."""
    training: RunConfig
    """The run it comes from."""
    env_steps: int
    """Environment steps it was trained for."""


def export(trained: TrainedRun, file: Path, overwrite: bool = False) -> Path:
    """Write the agent of a run to one file that is complete in itself, and read it back; gives `file`.

    Args:
        trained: the run.
        file: where to; the ending is yours to choose. Its directory must be there.
        overwrite: replace a file that is there already.

    Raises:
        ScoutError: there is such a file, it cannot be written, or the agent cannot be made again from its spaces.
    """
    if not overwrite and os.path.lexists(file):
        raise ScoutError(f"{file} is there already; name another file, or remove it first.")
    arrays, home, algorithm = to_arrays(trained.agent), trained.home, trained.algorithm
    content = {
        "format": FORMAT,
        "version": installed_version(),
        "training": dataclasses.asdict(trained.config) | {"env_steps": trained.env_steps},
        "spaces": spaces_to_json(home.spaces),
        "horizon": home.horizon,
        "exploration_episodes": algorithm.exploration_episodes,
        "exploitation_episodes": algorithm.exploitation_episodes,
        "problem_sizes": None if home.problems.sizes is None else list(home.problems.sizes),
        "problem_components": home.problems.ids.shape[1],
    }
    text = json.dumps(content)
    with writing(file), replacing(file) as temporary:
        write_tensors(temporary, arrays, {_KEY: text, "sha256": _checksum(text, arrays)})
        # What the agent has beside its arrays is made anew by whoever loads it, without the family at hand.
        if not eqx.tree_equal(*map(_beside_arrays, (import_agent(temporary, trust=True).agent, trained.agent))):
            raise ScoutError(f"{trained.path} cannot be exported: its agent depends on more than the family's spaces.")
    return file


def import_agent(file: Path, trust: bool = False) -> ExportedAgent:
    """Read what `export` wrote.

    Args:
        file: the file.
        trust: import the code of an algorithm that is not among the registered ones.

    Raises:
        ScoutError: the file is damaged, something else or of another version, or it needs code that is not trusted.
    """
    content, arrays = _read(file)
    check_format(content, file)
    try:
        training = dict(content["training"])
        env_steps = int(training.pop("env_steps"))
        config = checked(RunConfig(**training))
        spaces, horizon = spaces_from_json(content["spaces"]), int(content["horizon"])
        sizes, components = content["problem_sizes"], int(content["problem_components"])
        family = StandIn(spaces, horizon, None if sizes is None else tuple(sizes), components)
        episodes = int(content["exploration_episodes"]), int(content["exploitation_episodes"])
    except (KeyError, TypeError, ValueError) as error:
        raise ScoutError(f"{file} cannot be read: {type(error).__name__}: {error}.") from error
    if config.algorithm not in algorithms() and not trust:
        raise ScoutError(
            f"{file} needs the code of {config.algorithm}, which is not among `scout algorithms`; if you trust it, "
            "load the file with trust=True."
        )
    admit([config.algorithm, config.settings.get(LEARNER)], file, trust)
    agent: Agent = from_arrays(arrays, agent_like(make_algorithm(config), family).agent)
    return ExportedAgent(agent, spaces, horizon, *episodes, config, env_steps)


def _read(file: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The JSON and the arrays of an exported file, if every byte of them is as it was written."""
    try:
        metadata = read_header(file)[1]
        arrays = {name: np.asarray(array) for name, array in read_tensors(file).items()}
    except UnreadableError as error:
        raise ScoutError(f"{file} is no exported agent, or damaged: it {error}.") from error
    if _KEY not in metadata:
        raise ScoutError(f"{file} is no exported agent: scout did not write it.")
    if metadata.get("sha256") != _checksum(metadata[_KEY], arrays):
        raise ScoutError(f"{file} is damaged: it is not as it was written; export the agent again.")
    return json.loads(metadata[_KEY]), arrays


def _beside_arrays(agent: Agent) -> Agent:
    return eqx.filter(agent, eqx.is_array, inverse=True)


def _checksum(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Of the JSON, and of each array with name, type and shape."""
    found = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"\n{name} {array.dtype.name} {array.shape}\n".encode())
        found.update(np.asarray(array, order="C").tobytes())
    return found.hexdigest()
