"""Agents: train, evaluate, film, load and export them."""

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from scoutrl._platform import compute_in_own_thread, on_this_machine, pin_threads
from scoutrl.api.common import Engine, Run, cluster_of, family_of
from scoutrl.deploy import DeployedAgent
from scoutrl.envs import Spec
from scoutrl.envs.check import check_own
from scoutrl.envs.problems import SPLITS, Split
from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import evaluate_runs
from scoutrl.evaluation.scores import Evaluation
from scoutrl.runs.config import LARGEST_SEED, MOST_SEEDS, MOST_TRIALS, RunConfig, resolve
from scoutrl.runs.families import build_checked
from scoutrl.runs.files import local
from scoutrl.runs.open import open_run, seed_dirs, single_dir
from scoutrl.runs.settings import assignments, counted, fit
from scoutrl.runs.trackers import Listener, Track, split_track
from scoutrl.training.compilation import use_compilation_cache
from scoutrl.training.hosts import Hosts
from scoutrl.training.team import Team

SeedsMode = Literal["auto", "processes", "vmap"]
"""How several seeds are trained: one process each, vmapped in one program, or whichever suits the device."""


def train(
    algorithm: str,
    family: str | Spec,
    steps: int | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    *,
    preset: str | None = None,
    seeds: int = 1,
    settings: Mapping[str, Any] | Iterable[str] = (),
    seeds_mode: SeedsMode = "auto",
    until: float | str | None = None,
    engine: Engine = "local",
    hosts: Hosts | None = None,
    track: Track | Listener = "tensorboard",
    show: bool = True,
) -> Run:
    """Train an algorithm on a family, or go on with a run that was stopped.

    Args:
        algorithm: a name of `scout algorithms`, or `package.module:ClassName`.
        family: a name of `scout families`, `package.module:ClassName`, or an object of your own.
        steps: environment steps per seed; None leaves it to the preset.
        seed: seed of all randomness, the first one if there are several.
        out: run directory; None makes `runs/…` after what is trained. A run that is in there already is continued.
        preset: name of a preset for algorithm and family.
        seeds: number of independent seeds: seed, seed + 1, …
        settings: name to value, as for `--set`: hyper-parameters, `iterations`, `env.NAME`.
        seeds_mode: how several seeds are trained.
        until: stop as soon as the return on validation problems is that much, or a share of the optimum such as "95%",
            in five evaluations in a row. "none" trains all steps; None leaves it to the preset, unless `steps` are
            given: then all of them are done.
        engine: where several seeds are trained: "local" is this machine, "ray" a Ray cluster of this machine alone, and
            a `Cluster` says which and how.
        hosts: train one run in several processes, as a rule one on each host, each of which calls this with the same
            arguments and its own number here, before anything is computed with JAX. `settings` say into how many
            `shards` the run is split. The run directory is with process 0.
        track: who is told the metrics while it trains, beside metrics.jsonl in the run directory: "tensorboard",
            "wandb" (Weights & Biases, which has to be installed), "none", or a function of a dictionary of numbers that
            is called with each row; a function is for one seed.
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line.
    """
    from scoutrl.training.joining import joined

    settings = assignments(settings)
    shards = _begin(hosts, seeds, engine, settings)
    with joined(hosts, shards, show) as team, on_this_machine():
        use_compilation_cache()
        tracker, listener = split_track(track)
        config = resolve(algorithm, family, preset, steps, seed, settings, until)
        config = dataclasses.replace(config, track=tracker)
        count = counted("seeds", seeds, most=min(MOST_SEEDS, LARGEST_SEED - config.seed + 1))
        path = local(out) if out is not None else default_out(config, count)
        return _train(config, family, count, path, seeds_mode, engine, listener, show, team)


def _begin(hosts: Hosts | None, seeds: int, engine: Engine, settings: Mapping[str, Any]) -> int:
    """Settle what has to be before JAX starts; gives the number of shards."""
    shards, lag = (fit(name, settings.get(name, least), int) for name, least in (("shards", 1), ("policy_lag", 0)))
    if hosts is not None and (seeds != 1 or engine != "local"):
        raise ScoutError("several processes train one run of one seed; leave out seeds and engine, or hosts.")
    if hosts is not None and lag:
        raise ScoutError("several processes play and learn in turn; leave out policy_lag, or hosts.")
    pin_threads()
    if lag:
        compute_in_own_thread()
    return shards


def _train(
    config: RunConfig,
    family: str | Spec,
    count: int,
    path: Path,
    seeds_mode: SeedsMode,
    engine: Engine,
    listener: Listener | None,
    show: bool,
    team: Team,
) -> Run:
    from scoutrl.training.loop import train as train_one

    env, cluster = _checked(family, config), cluster_of(engine)
    if count == 1:
        if cluster is not None:
            raise ScoutError("the engine ray is for several runs at once: add seeds, or leave it to the local engine.")
        return Run(train_one(config, path, env, show, listener, team), env)
    if listener is not None:
        raise ScoutError("a function can track one seed; train the seeds one by one, or track them by name.")
    from scoutrl.engines.seeds import train_seeds

    return Run(train_seeds(config, count, path, seeds_mode, env, show, cluster), env)


def _checked(family: str | Spec, config: RunConfig) -> Spec | None:
    """The family, if it was handed over as an object; one that is named can be made."""
    if isinstance(family, str):
        build_checked(config.family, config.family_options)
        return None
    check_own(family)
    return family


def default_out(config: RunConfig, seeds: int) -> Path:
    """`runs/ALGORITHM-FAMILY[-PRESET]-seedN`, or `…-seedsK` for several, with odd characters replaced."""
    last = f"seed{config.seed}" if seeds == 1 else f"seeds{seeds}" + (f"-from{config.seed}" if config.seed else "")
    preset = [] if config.preset == "default" else [config.preset]
    name = "-".join([config.algorithm, config.family, *preset, last])
    return Path("runs") / re.sub(r"[^A-Za-z0-9._-]+", "-", name)


@on_this_machine()
def evaluate(
    run: Run | str | os.PathLike[str] | Sequence[Run | str | os.PathLike[str]],
    trials: int = 1000,
    split: Split = "test",
    seed: int = 0,
    env: str | Spec | None = None,
    *,
    trust: bool = False,
) -> Evaluation:
    """Evaluate a run greedily on the problems of one split, evenly spread over them.

    Args:
        run: what `train` gave, a run directory, one with several seeds in it, or a list of such.
        trials: trials of each seed's agent, at least 1.
        split: "test" for the problems kept for reports, "validation" for those watched while learning, "train" for
            those learnt on.
        seed: seed of the evaluation's randomness.
        env: another family with the same spaces, or the run's own where that cannot be made from its name.
        trust: import code that the run names and that is not installed, from the current directory or the path.

    Returns:
        Means with 95% intervals: over trials for one seed, over the seeds' means for several.

    Raises:
        ScoutError: no such run, nothing saved in it yet, a family with other spaces, two runs of the same seed, or code
            that is not trusted.
    """
    runs = [run] if isinstance(run, Run | str | os.PathLike) else list(run)
    if not runs:
        raise ScoutError("there is nothing to evaluate: the list of runs is empty.")
    if split not in SPLITS:
        raise ScoutError(f'the split is "test", "validation" or "train"; it cannot be {split!r}.')
    trials, seed = counted("trials", trials, most=MOST_TRIALS), counted("seed", seed, 0, LARGEST_SEED)
    use_compilation_cache()
    given = family_of(env, runs)
    paths = [path for one in runs for path in seed_dirs(os.fspath(one))]
    return evaluate_runs(paths, trials, split, seed, given, ", ".join(os.fspath(one) for one in runs), trust)


@on_this_machine()
def film(
    run: Run | str | os.PathLike[str],
    directory: str | os.PathLike[str],
    split: Split = "test",
    seed: int = 0,
    env: str | Spec | None = None,
    *,
    trust: bool = False,
) -> list[Path]:
    """Write films of a trained agent, one GIF for each problem, at most eight of them.

    Each shows a whole greedy trial: what the agent sees, if that is an image, beside the family's picture with the path
    walked, and below it, for algorithms that can tell, how much it knows of the problem.

    Args:
        run: what `train` gave, or a run directory; of several seeds the first is filmed.
        directory: where to, made if need be.
        split: "test" for the problems kept for reports, "validation" for those watched while learning, "train" for
            those learnt on.
        seed: seed of the trials' randomness.
        env: another family with the same spaces, or the run's own where that cannot be made from its name.
        trust: import code that the run names and that is not installed, from the current directory or the path.

    Returns:
        The files.

    Raises:
        ScoutError: no such run, nothing saved in it yet, a family with other spaces, or files that cannot be written.
    """
    use_compilation_cache()
    from scoutrl.reporting.video import film as write

    return write(
        open_run(seed_dirs(os.fspath(run))[0], family_of(env, [run]), trust), local(directory, "--video"), split, seed
    )


@on_this_machine()
def load(run: Run | str | os.PathLike[str], env: Spec | None = None, *, trust: bool = False) -> DeployedAgent:
    """The trained agent of a run of one seed, or of an exported file, for a plain Python loop.

    Args:
        run: what `train` gave, a run directory, or a file that `export` wrote.
        env: the family as an object, for a run whose family cannot be made from its name. A file needs none.
        trust: import code that the run names and that is not installed, from the current directory or the path; for a
            file, the code of an algorithm that is not among those of `scout algorithms`.

    Raises:
        ScoutError: no such run, nothing saved in it yet, or several seeds in it; a file that is damaged or something
            else, or needs code that is not trusted.
    """
    use_compilation_cache()
    if Path(run).is_file():
        from scoutrl.runs.export import import_agent

        found = import_agent(Path(run), trust)
        return DeployedAgent(
            found.agent, found.spaces, found.horizon, found.exploration_episodes, found.exploitation_episodes
        )
    trained = open_run(single_dir(os.fspath(run)), family_of(env, [run]), trust)
    algorithm = trained.algorithm
    return DeployedAgent(
        trained.agent,
        trained.env.spaces,
        trained.env.horizon,
        algorithm.exploration_episodes,
        algorithm.exploitation_episodes,
    )


@on_this_machine()
def export(
    run: Run | str | os.PathLike[str],
    file: str | os.PathLike[str],
    env: Spec | None = None,
    *,
    overwrite: bool = False,
    trust: bool = False,
) -> Path:
    """Write the trained agent of a run of one seed to one file, which `load` reads without the run or the family.

    The file is in the safetensors format: arrays and JSON, no code. It says where the agent comes from.

    Args:
        run: what `train` gave, or a run directory.
        file: where to, such as `agent.scout`; its directory must be there.
        env: the family as an object, for a run whose family cannot be made from its name.
        overwrite: replace a file that is there already.
        trust: import code that the run names and that is not installed, from the current directory or the path.

    Returns:
        The file.

    Raises:
        ScoutError: no such run, nothing saved in it yet, or several seeds in it; a file that is there already or
            cannot be written; an agent that depends on more of the family than its spaces.
    """
    use_compilation_cache()
    from scoutrl.runs.export import export as write

    return write(open_run(single_dir(os.fspath(run)), family_of(env, [run]), trust), local(file, "FILE"), overwrite)
