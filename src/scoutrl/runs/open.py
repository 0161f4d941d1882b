"""A run directory opened to be used, not written to: no lock is needed."""

import dataclasses
import json
from pathlib import Path

from scoutrl.algorithms.base import Algorithm
from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.algorithms.settings import LEARNER
from scoutrl.envs import Spec
from scoutrl.envs.check import check_own
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.runs import checkpoint
from scoutrl.runs.agent import AGENT, TrainedAgent, agent_like
from scoutrl.runs.arrays import from_arrays
from scoutrl.runs.begun import CHECKPOINTS
from scoutrl.runs.config import RunConfig, make_algorithm, make_env
from scoutrl.runs.families import name_of
from scoutrl.runs.files import read_text
from scoutrl.runs.run_dir import CONFIG
from scoutrl.runs.trust import admit
from scoutrl.trials.agent import Agent


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """One seed of a run, as its newest good checkpoint left it."""

    path: Path
    """The run directory."""
    config: RunConfig
    """What was trained."""
    env: Spec
    """The family it is to act in."""
    home: Spec
    """The family it was trained on: the same, or another with the same spaces."""
    algorithm: Algorithm
    """The algorithm with its settings."""
    agent: Agent
    """The trained agent."""
    knowledge: Knowledge | None
    """What tells how much the agent knows of a problem; None if the algorithm cannot tell."""
    env_steps: int
    """Environment steps it was trained for."""


def seed_dirs(path: str | Path) -> list[Path]:
    """The run directories at `path`, one per seed in the order of the seeds: itself, or those in it.

    Raises:
        ScoutError: there is no such directory, or no run in it.
    """
    path = Path(path)
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise ScoutError(
            f"the run directory {path} {what}; `scout train` makes run directories and says where they are."
        )
    within = [config.parent for config in path.glob(f"*/{CONFIG}")]
    if not within and not (path / CONFIG).is_file():
        raise ScoutError(f"{path} holds no run: there is no {CONFIG} in it; name the --out directory of `scout train`.")
    listed = _listed(path)
    if not within and listed is not None:
        raise ScoutError(f"{path} is meant for several seeds and holds none yet; let `scout train` go on.")
    if within and listed is None and (path / CONFIG).is_file():
        return [path]
    seeds = {run: read_config(run).seed for run in within}
    for run in [run for run, seed in seeds.items() if listed is not None and seed not in listed]:
        tell(f"{run} is left out: its seed {seeds.pop(run)} is none of the seeds that {path} lists.")
    return sorted(seeds, key=lambda run: (seeds[run], run)) or [path]


def single_dir(path: str | Path) -> Path:
    """The one run directory at `path`.

    Raises:
        ScoutError: there is none, or there are several seeds.
    """
    found = seed_dirs(path)
    if len(found) > 1:
        raise ScoutError(f"{path} holds {len(found)} seeds; name one of them: {', '.join(map(str, found))}.")
    return found[0]


def open_run(path: Path, env: Spec | None = None, trust: bool = False) -> TrainedRun:
    """Open the run directory of one seed; of its checkpoint only the part of the agent is read.

    Args:
        path: the run directory.
        env: the family to act in, as an object: the one of the run, or another with the same spaces. None makes the one
            of the run from its configuration.
        trust: import the code that the run names also where it is not installed.

    Raises:
        ScoutError: nothing was saved there yet, all of it is damaged, the family cannot be made, `env` has other
            spaces, or the run needs code that is not trusted.
    """
    config = read_config(path)
    given = env is not None and config.by_hand
    admit([config.algorithm, config.settings.get(LEARNER), None if given else config.family], path, trust)
    # Read first: it is the quickest to fail.
    saved = checkpoint.load(path / CHECKPOINTS, config.identity(), [AGENT])
    if saved is None:
        raise ScoutError(f"{path} holds no checkpoint yet; let `scout train` go on until it saves one.")
    home = env if env is not None and given else make_env(config)
    env = home if env is None else env
    check_own(home, play=False)
    check_own(env, play=False)
    _check_spaces(config.family, home, env)
    algorithm = make_algorithm(config)
    trained: TrainedAgent = from_arrays(saved.parts[AGENT], agent_like(algorithm, home))
    steps = int(saved.counters["env_steps"])
    return TrainedRun(path, config, env, home, algorithm, trained.agent, trained.knowledge, steps)


def _check_spaces(family: str, home: Spec, env: Spec) -> None:
    for role in ("observation", "action", "goal"):
        learnt, offered = getattr(home.spaces, role), getattr(env.spaces, role)
        if learnt != offered:
            raise ScoutError(
                f"an agent trained on {family} cannot act in {name_of(env)}: the {role} space is {offered} there, and "
                f"{learnt} where it was trained."
            )


def _listed(path: Path) -> list[int] | None:
    """The seeds of the group at `path`, as its configuration lists them; None where it lists none."""
    try:
        content = json.loads(read_text(path / CONFIG))
    except (OSError, ValueError, RecursionError):
        return None  # `read_config` will say what is wrong
    seeds = content.get("seeds") if isinstance(content, dict) else None
    return seeds if isinstance(seeds, list) else None


def read_config(path: Path) -> RunConfig:
    """What was trained in the run directory `path`.

    Raises:
        ScoutError: its configuration is missing, damaged or of another version.
    """
    try:
        return RunConfig.from_json(read_text(path / CONFIG))
    except (OSError, UnicodeDecodeError) as error:
        raise ScoutError(f"{path / CONFIG} cannot be read: {error}.") from error
    except ScoutError as error:
        raise ScoutError(f"{path}: {error}") from error
