"""Scout from Python: train, evaluate, compare, load. The command line is made of these same functions."""

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scoutrl._platform import on_this_machine, pin_threads
from scoutrl.deploy import DeployedAgent
from scoutrl.engines.cluster import Cluster
from scoutrl.envs import Spec
from scoutrl.envs.check import check_own
from scoutrl.envs.problems import SPLITS, Split
from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import evaluate_runs
from scoutrl.evaluation.scores import Evaluation
from scoutrl.exact.length import ExplorationLength
from scoutrl.results.comparison import Comparison
from scoutrl.results.coupling import Coupling
from scoutrl.runs.config import LARGEST_SEED, MOST_SEEDS, RunConfig, resolve
from scoutrl.runs.families import build, build_checked, checked_options
from scoutrl.runs.files import local
from scoutrl.runs.open import open_run, seed_dirs, single_dir
from scoutrl.runs.settings import assignments, counted
from scoutrl.runs.trackers import Listener, Track, check_track
from scoutrl.training.compilation import use_compilation_cache

if TYPE_CHECKING:
    from scoutrl.reporting.export import Format
    from scoutrl.reporting.known_bounds import KnownBounds
    from scoutrl.reporting.page.html import Page

SeedsMode = Literal["auto", "processes", "vmap"]
"""How several seeds are trained: one process each, vmapped in one program, or whichever suits the device."""
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


@on_this_machine()
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
        track: who is told the metrics while it trains, beside metrics.jsonl in the run directory: "tensorboard",
            "wandb" (Weights & Biases, which has to be installed), "none", or a function of a dictionary of numbers that
            is called with each row; a function is for one seed.
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line.
    """
    _prepare()
    from scoutrl.training.loop import train as train_one

    listener = None if isinstance(track, str) else track
    if isinstance(track, str):
        check_track(track)
    config = resolve(algorithm, family, preset, steps, seed, settings, until)
    config = dataclasses.replace(config, track=track if isinstance(track, str) else "none")
    count = counted("seeds", seeds, most=min(MOST_SEEDS, LARGEST_SEED - config.seed + 1))
    path = local(out) if out is not None else default_out(config, count)
    env = None if isinstance(family, str) else family
    if env is None:
        build_checked(config.family, config.family_options)
    else:
        check_own(env)
    cluster = _cluster(engine)
    if count == 1:
        if cluster is not None:
            raise ScoutError("the engine ray is for several runs at once: add seeds, or leave it to the local engine.")
        return Run(train_one(config, path, env, show, listener), env)
    if listener is not None:
        raise ScoutError("a function can track one seed; train the seeds one by one, or track them by name.")
    from scoutrl.engines.seeds import train_seeds

    return Run(train_seeds(config, count, path, seeds_mode, env, show, cluster), env)


def _cluster(engine: Engine) -> Cluster | None:
    """The cluster to train on; None for this machine without one."""
    if engine == "local":
        return None
    if not isinstance(engine, Cluster) and engine != "ray":
        raise ScoutError(f"engine must be local, ray, or a scoutrl.Cluster; it is {engine!r}.")
    cluster = engine if isinstance(engine, Cluster) else Cluster()
    cluster.check()
    return cluster


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
    trials, seed = counted("trials", trials), counted("seed", seed, 0, LARGEST_SEED)
    _prepare()
    given = _family(env, runs)
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
    _prepare()
    from scoutrl.reporting.video import film as write

    return write(
        open_run(seed_dirs(os.fspath(run))[0], _family(env, [run]), trust), local(directory, "--video"), split, seed
    )


@on_this_machine()
def compare(
    family: str | Spec,
    algorithms: Sequence[str],
    seeds: int = 5,
    out: str | os.PathLike[str] = "runs/comparison",
    *,
    steps: int | None = None,
    minutes: float | None = None,
    trials: int = 1000,
    settings: Mapping[str, Any] | Iterable[str] = (),
    engine: Engine = "local",
    formats: "Sequence[Format]" = (),
    show: bool = True,
) -> Comparison:
    """Train algorithms on one family with the same budget, and compare what they earn on the same unseen problems.

    Called again it goes on where it was stopped, and uses the runs that are finished. `out` then holds the runs,
    results.json, which `read_comparison` reads, and learning curves and bar charts, each as PNG and SVG. A seed that
    fails is in the result, with the reason, and the others go on.

    Args:
        family: a name of `scout families`, `package.module:ClassName`, or an object of your own.
        algorithms: names of `scout algorithms` or `package.module:ClassName`; of variants, with settings after commas,
            as in "dream,bottleneck=none".
        seeds: independent seeds of each: 0, 1, … Intervals are over them.
        out: directory of the comparison. One that holds other settings is refused.
        steps: environment steps of every seed; None takes the most that a preset of one of the algorithms says.
        minutes: minutes of training of every seed in place of `steps`; compilation does not count.
        trials: trials of each seed in the final evaluation.
        settings: of all algorithms, and `env.NAME` for the family; as for `train`.
        engine: where the seeds are trained, as for `train`.
        formats: what else to write: the table as "latex", "csv" or "markdown", the figures as "pdf"; "svg" there is.
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    from scoutrl.experiments.compare import compare as run
    from scoutrl.reporting.export import check_formats, export, save_figures

    check_formats(formats)
    how = {"steps": steps, "minutes": minutes, "trials": trials, "settings": settings}
    result = run(family, algorithms, seeds, local(out), **how, show=show, cluster=_cluster(engine))
    save_figures(result, ("png", "svg"))
    export(result, formats)
    return result


@on_this_machine()
def coupling(
    out: str | os.PathLike[str],
    algorithms: Sequence[str] = ("dream", "e-rl2"),
    sizes: Sequence[int] = (4, 8, 16, 32, 64),
    seeds: int = 10,
    *,
    steps: int | None = None,
    show: bool = True,
) -> Coupling:
    """Measure how the samples to the optimum grow with the number of actions, on the family `lever`.

    Called again it goes on where it was stopped; sizes, seeds, algorithms and steps may be added. `out` then holds the
    runs, results.json and a plot. Seeds that are not at the optimum within the budget are named and count with it.

    Args:
        out: directory of the experiment.
        algorithms: as for `compare`; those that have a preset "coupling" for `lever` begin from it.
        sizes: numbers of levers |A|, each at least 2.
        seeds: independent seeds at each size: 0, 1, …
        steps: environment steps of every seed at the largest size; smaller ones get their share of it by |A|². All get
            8,000 besides. None is 100 |A|².
        show: tell on stderr how far it is.

    Raises:
        ScoutError: anything the caller can put right, in one line, before any training starts; or the disk is full.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    from scoutrl.experiments.coupling import coupling as run
    from scoutrl.reporting.coupling_plot import coupling_figure
    from scoutrl.reporting.style import save

    result = run(local(out), algorithms, sizes, seeds, steps=steps, show=show)
    save(coupling_figure(result), result.path / "coupling")
    return result


@on_this_machine()
def report(
    run: Run | Comparison | str | os.PathLike[str], env: str | Spec | None = None, *, trust: bool = False
) -> "Page":
    """Make a page of a run, of several seeds or of a comparison, from what is on disk; nothing is trained.

    The page is one HTML file that needs no network: what was reached beside the bounds, greedy trials to be watched
    step by step, what z knows, which problems fail, curves, and everything to do it again. `save` writes it, and a
    notebook shows it.

    Args:
        run: what `train` or `compare` gave, or the directory of a run, of several seeds or of a comparison.
        env: the run's own family, where that cannot be made from its name.
        trust: import code that the run names and that is not installed, from the current directory or the path.

    Raises:
        ScoutError: no such run, nothing saved in it yet, or a family that cannot be rendered.
    """
    _prepare()
    from scoutrl.reporting.page.make import page

    path = run.path if isinstance(run, Comparison) else Path(os.fspath(run))
    given = _family(env, [] if isinstance(run, Comparison) else [run])
    return page(path, given, trust)


@on_this_machine()
def bounds(family: str | Spec) -> dict[str, dict[str, float]]:
    """What can be earned in a family, by name of the bound: mean return on "train", "validation" and "test" problems.

    Args:
        family: a name of `scout families`, `package.module:ClassName`, or an object.

    Raises:
        ScoutError: no such family, or one whose states cannot be enumerated.
    """
    from scoutrl.exact.bounds import bounds as computed

    return computed(build(family, {}) if isinstance(family, str) else family)


@on_this_machine()
def exploration_length(family: str | Spec) -> dict[str, ExplorationLength]:
    """How many steps of exploration it takes, at the least, to earn `optimum` afterwards.

    Args:
        family: a name of `scout families`, `package.module:ClassName`, or an object.

    Returns:
        For "train" and "test" problems the least expected number of steps, and whether it is exact.

    Raises:
        ScoutError: no such family, or one that breaks a promise. Where the number cannot be found, the result says why.
    """
    from scoutrl.exact.exploration import exploration_length as computed

    return computed(build(family, {}) if isinstance(family, str) else family)


@on_this_machine()
def check(family: str | Spec, settings: Mapping[str, Any] | Iterable[str] = ()) -> list[str]:
    """Play a family for a moment, as training will play it, and give advice.

    Args:
        family: as for `train`.
        settings: options of the family, as `env.NAME`.

    Returns:
        Sentences: what should be put right comes first, then what was found.

    Raises:
        ScoutError: what has to be put right: an environment that fails, a promise that is broken, a space that nothing
            can be learnt from.
    """
    _prepare()
    from scoutrl.training.advice import advise

    options = {name.removeprefix("env."): value for name, value in assignments(settings).items()}
    return advise(build(family, checked_options(family, options)) if isinstance(family, str) else family)


@on_this_machine()
def find_bounds(family: Spec) -> "KnownBounds":
    """What `bounds` and `exploration_length` say together; of families of Scout's own it is computed once and kept.

    Raises:
        ScoutError: a family whose states cannot be enumerated.
    """
    from scoutrl.exact.bounds import bounds as computed
    from scoutrl.exact.bounds import has_bounds
    from scoutrl.reporting.known_bounds import known_bounds

    if not has_bounds(family):
        computed(family)  # which says why not
    return known_bounds(family)


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
    _prepare()
    if Path(run).is_file():
        from scoutrl.runs.export import import_agent

        found = import_agent(Path(run), trust)
        return DeployedAgent(
            found.agent, found.spaces, found.horizon, found.exploration_episodes, found.exploitation_episodes
        )
    trained = open_run(single_dir(os.fspath(run)), _family(env, [run]), trust)
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
    _prepare()
    from scoutrl.runs.export import export as write

    return write(open_run(single_dir(os.fspath(run)), _family(env, [run]), trust), local(file, "FILE"), overwrite)


def _family(env: str | Spec | None, runs: Sequence[Run | str | os.PathLike[str]]) -> Spec | None:
    """The family asked for, else the one that a run was handed as an object."""
    if isinstance(env, str):
        return build(env, {})
    return env if env is not None else next((r.env for r in runs if isinstance(r, Run) and r.env is not None), None)


def _prepare() -> None:
    """What must be settled before JAX computes, and what it has compiled before."""
    pin_threads()
    use_compilation_cache()
