"""`scout train`, `scout evaluate` and `scout export`."""

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from scoutrl.cli.engine import HERE, Where
from scoutrl.cli.hosts import APART, Together
from scoutrl.cli.options import Count, Directory, Flag, Problems, Seed, Settings, with_problems
from scoutrl.cli.printing import print_json
from scoutrl.cli.waiting import waiting
from scoutrl.plugins import module_of


def train(
    algorithm: str,
    family: str,
    /,
    *,
    preset: Annotated[str | None, Parameter(metavar="NAME")] = None,
    seed: Seed = 0,
    seeds: Annotated[Count, Parameter(metavar="K")] = 1,
    steps: Count | None = None,
    out: Directory | None = None,
    sets: Settings = (),
    seeds_mode: Literal["auto", "processes", "vmap"] = "auto",
    until: Annotated[str | None, Parameter(metavar="RETURN")] = None,
    where: Where = HERE,
    together: Together = APART,
    problems: Problems = None,
    horizon: Count | None = None,
    track: Literal["tensorboard", "wandb", "none"] = "tensorboard",
) -> None:
    """Train an agent, or go on with a run that was stopped: the same command continues it.

    Example: scout train dream distracting-bus

    Args:
        algorithm: Name of an algorithm (see `scout algorithms`), or package.module:ClassName for one of your own.
        family: Name of a family of environments (see `scout families`), package.module:name for your own, or gym:ID for
            one of Gymnasium's environments.
        preset: Settings tuned for algorithm and family; without it, those called "default".
        seed: Seed of all randomness: the same seed gives the same numbers.
        seeds: Train K independent agents with the seeds N, N+1, ...
        steps: Environment steps to train each agent for, such as 400_000 or 4e5; without it, what the preset says.
        out: Directory of the run; without it, one under runs/ named after what is trained.
        sets: Change settings of the algorithm (`scout algorithms ALGORITHM` lists them) or, as env.NAME, of the family.
        seeds_mode: How several agents are trained: one process each, all in one program, or whichever suits the device.
        until: Stop once the return on validation problems is this, or a share of the optimum such as 95%, five times
            in a row; "none" does all steps. Without it, what the preset says, or with --steps all of them.
        where: Machines that several agents are trained on.
        together: Processes that train one agent.
        problems: For gym:ID, a file with the problems: a list of keyword arguments as JSON.
        horizon: For gym:ID, the most steps of an episode; without it, what the environment was registered with.
        track: Who is told the metrics beside metrics.jsonl: TensorBoard by files in the run directory, Weights & Biases
            (install scoutrl[wandb]; WANDB_MODE=offline keeps them here), or nobody.
    """
    from scoutrl._platform import split_processor
    from scoutrl.api import train as train_agents
    from scoutrl.runs.settings import fit

    settings = with_problems(sets, problems, horizon)
    split_processor(shards := fit("shards", settings.get("shards", 1), int))
    hosts = together.meant(shards)
    how = {"preset": preset, "seeds": seeds, "settings": settings, "seeds_mode": seeds_mode, "until": until}
    run = train_agents(algorithm, family, steps, seed, out, **how, engine=where.meant(), hosts=hosts, track=track)
    if hosts is not None and hosts.process != 0:
        return
    learner = "".join(one.partition("=")[2] for one in sets if one.startswith("learner="))
    own = " --trust" if any(map(module_of, (algorithm, family, learner))) else ""
    run_dir = f"{run.path}{own}"
    print(f"Trained: {run.path}  (measure it: scout evaluate {run_dir}; watch it: scout report {run_dir})")


def evaluate(
    run_dir: str,
    /,
    *,
    trials: Count = 1000,
    split: Literal["test", "validation", "train"] = "test",
    seed: Seed = 0,
    env: Annotated[str | None, Parameter(metavar="FAMILY")] = None,
    video: Directory | None = None,
    trust: Flag = False,
    json: Flag = False,
) -> None:
    """Measure what a trained agent earns on problems it has never seen.

    Example: scout evaluate runs/dream-bus-seed0

    Args:
        run_dir: Directory of a run, as `scout train` printed it; with several seeds in it, all are evaluated.
        trials: Trials per agent: in each it meets one problem, explores it, then exploits it.
        split: Problems kept for reports (test), those watched while learning (validation), or those learnt on (train).
        seed: Seed of the evaluation's randomness.
        env: Evaluate in another family with the same observations, actions and goals; without it, in the run's own.
        video: Write films (GIF) of one trial each on at most eight problems into DIR; of several seeds, of the first.
        trust: Import code of your own that the run names, such as a family in this directory; it can do anything.
        json: Print one JSON object and nothing else.
    """
    from scoutrl.api import evaluate as evaluate_run
    from scoutrl.api import film

    # Films first: they are quick, and a family that cannot be rendered is told of before all the work.
    films = [] if video is None else film(run_dir, video, split, seed, env, trust=trust)
    with waiting(f"evaluating {run_dir}"):
        result = evaluate_run(run_dir, trials, split, seed, env, trust=trust)
    if json:
        print(f"{result.algorithm} on {result.family}: {result.protocol}", file=sys.stderr)
        print_json(result.to_dict())
    else:
        print(result)
    if films:
        print(f"Films: {', '.join(map(str, films))}", file=sys.stderr)


def export(run: str, file: str, /, *, trust: Flag = False) -> None:
    """Write the trained agent of a run into one file, which needs nothing of the run's directory.

    Example: scout export runs/dream-bus-seed0 agent.scout

    Args:
        run: Directory of a run of one seed, as `scout train` printed it.
        file: File to write, such as agent.scout.
        trust: Import code of your own that the run names; it can do anything.
    """
    from scoutrl.api import export as export_agent

    path = export_agent(run, file, trust=trust)
    print(f'Exported: {path}  (load it: scoutrl.load("{path}"))')
