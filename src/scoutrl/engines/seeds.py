"""Several seeds of one configuration, or of several, each in a run directory of its own within that of its group."""

import contextlib
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import jax

from scoutrl.engines.cluster import Cluster
from scoutrl.engines.processes import train_in_processes
from scoutrl.engines.seed_process import SeedRun
from scoutrl.envs import Spec
from scoutrl.envs.host import HostFamily
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.evaluation.evaluate import Measure
from scoutrl.runs.begun import to_continue
from scoutrl.runs.config import RunConfig, completed, make_algorithm, make_env
from scoutrl.runs.record import is_finished, print_status
from scoutrl.runs.run_dir import CONFIG, FORMAT, GROUP, RunDirectory, check_format, refuse_other
from scoutrl.training.loop import train_together
from scoutrl.training.memory import check_memory

Mode = Literal["auto", "processes", "vmap"]
"""How several seeds are trained: one process per core, vmapped in one program, or whichever suits the device."""


@dataclasses.dataclass(frozen=True)
class SeedGroup:
    """The seeds `config.seed` … `config.seed + count - 1` of one configuration."""

    config: RunConfig
    """What to train; its seed is the first one."""
    count: int
    """Number of seeds, at least 1."""
    out: Path
    """Directory; the run of seed s is `out/seed-s`, complete in itself."""
    label: str = ""
    """What to call it beside other groups."""

    @property
    def seeds(self) -> list[SeedRun]:
        """Each seed with its configuration and run directory."""
        numbers = range(self.config.seed, self.config.seed + self.count)
        configs = [dataclasses.replace(self.config, seed=number) for number in numbers]
        return [SeedRun(config, self.out / f"seed-{config.seed}", self.label) for config in configs]


def train_seeds(
    config: RunConfig,
    count: int,
    out: str | Path,
    mode: Mode = "auto",
    env: Spec | None = None,
    show: bool = True,
    cluster: Cluster | None = None,
) -> Path:
    """Train the seeds of one `SeedGroup`, or go on with them; gives `out`. Otherwise as `train_groups`."""
    out = Path(out)
    train_groups([SeedGroup(config, count, out)], out, mode, env, show, cluster=cluster)
    return out


def train_groups(
    groups: Sequence[SeedGroup],
    within: Path,
    mode: Mode = "auto",
    env: Spec | None = None,
    show: bool = True,
    measure: Measure | None = None,
    cluster: Cluster | None = None,
) -> None:
    """Train the seeds of several groups, or go on with them; in processes the groups must be as long as each other.

    Args:
        groups: what to train.
        within: the directory that holds them all, for messages.
        mode: "processes" is one process per core, "vmap" one program per group; "auto" takes processes on a CPU, where
            vmapping costs more than a loop, and programs on an accelerator.
        env: the family as an object; None makes it from the configurations.
        show: tell on stderr how far it is.
        measure: what else to note of evaluations; with vmap only.
        cluster: train on the machines of a Ray cluster, a process each, in place of this one; `mode` says nothing then.

    Raises:
        RunsFailedError: some seeds failed; the others have gone on to the end.
        ScoutError: a directory is another group's.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    by_hand = any(group.config.by_hand for group in groups)
    if (mode == "processes" or cluster is not None) and by_hand:
        raise ScoutError(
            "a family given as an object cannot be handed to other processes; use the local engine, seeds_mode=auto."
        )
    families = [_checked_family(group, env, mode, show) for group in groups]
    hosted = any(isinstance(family, HostFamily) for family in families)
    if mode == "vmap" and hosted:
        raise ScoutError("environments on the host cannot be vmapped over seeds; leave seeds_mode to auto.")
    with contextlib.ExitStack() as stack:
        for group in groups:
            _describe_group(stack.enter_context(RunDirectory(group.out)), group)
        waiting = [[seed for seed in group.seeds if not is_finished(seed.config, seed.out)] for group in groups]
        seeds = [seed for some in waiting for seed in some]
        done = sum(group.count for group in groups) - len(seeds)
        if done and show:
            print_status(f"{done} of {done + len(seeds)} seeds are finished; --steps N with more goes on.")
        if not seeds:
            return
        if cluster is not None:
            # Imported here: Ray is an extra.
            from scoutrl.engines.on_ray import train_on_ray

            train_on_ray(seeds, within, cluster, show)
            return
        on_cpu = mode == "auto" and jax.default_backend() == "cpu"
        if mode == "vmap" or (mode == "auto" and not on_cpu and not hosted):
            _train_in_turn([some for some in waiting if some], env, show, measure)
        elif by_hand or (hosted and not on_cpu and mode == "auto"):
            _train_in_turn([[seed] for seed in seeds], env, show)
        else:
            train_in_processes(seeds, within, show)


def _train_in_turn(
    programs: Sequence[Sequence[SeedRun]], env: Spec | None, show: bool, measure: Measure | None = None
) -> None:
    """Train one program of seeds after the other, in this process."""
    messages: list[str] = []
    reasons: dict[Path, str] = {}
    for seeds in programs:
        if show and seeds[0].label:
            print_status(f"{seeds[0].label}:")
        try:
            train_together([seed.config for seed in seeds], [seed.out for seed in seeds], env, show, measure)
        except RunsFailedError as failed:
            messages.append(str(failed))
            reasons |= failed.reasons
        except ScoutError as error:
            messages.append(str(error))
            reasons |= {seed.out: str(error) for seed in seeds}
    if reasons:
        raise RunsFailedError(" ".join(messages), reasons)


def _checked_family(group: SeedGroup, env: Spec | None, mode: Mode, show: bool) -> Spec:
    """Refuse what cannot fit before a process is started; what is trained in this one is looked at again there."""
    family = env if env is not None else make_env(group.config)
    beside = group.count if mode == "vmap" else 1
    check_memory(family, make_algorithm(group.config), group.config, beside, show and beside == 1)
    return family


def _describe_group(directory: RunDirectory, group: SeedGroup) -> None:
    """Describe the group in its config.json, or check that it is the one there; seeds may be added to a group."""
    here = {name: value for name, value in group.config.identity().items() if name != "seed"}
    seeds = {seed.config.seed for seed in group.seeds}
    there = directory.read_config()
    if there is not None and to_continue(directory.path, there, GROUP):
        check_format(there, directory.path)
        seeds |= _seeds_of(directory, there.pop("seeds"))
        del there["format"]
        refuse_other(directory.path, completed(there, here), here)
    directory.write_config(json.dumps({"format": FORMAT, "seeds": sorted(seeds)} | here, indent=2) + "\n")


def _seeds_of(directory: RunDirectory, seeds: Any) -> set[int]:
    if not isinstance(seeds, list) or not all(type(seed) is int for seed in seeds):
        raise ScoutError(f"the seeds in {directory.path / CONFIG} are no list of numbers; put it right.")
    return set(seeds)
