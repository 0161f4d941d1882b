"""Several seeds of one configuration, each in a run directory of its own within one directory."""

import dataclasses
import json
from pathlib import Path
from typing import Literal

import jax

from scoutrl.envs import MetaEnv
from scoutrl.errors import ScoutError
from scoutrl.training.config import RunConfig
from scoutrl.training.loop import train, train_together
from scoutrl.training.processes import train_in_processes
from scoutrl.training.run_dir import RunDirectory, refuse_other

Mode = Literal["auto", "processes", "vmap"]
"""How several seeds are trained: one process per core, vmapped in one program, or whichever suits the device."""


def train_seeds(
    config: RunConfig, count: int, out: str | Path, mode: Mode = "auto", env: MetaEnv | None = None, show: bool = True
) -> Path:
    """Train the seeds `config.seed` … `config.seed + count - 1`, or go on with them.

    Args:
        config: what to train; its seed is the first one.
        count: number of seeds, at least 1.
        out: directory; the run of seed s is `out/seed-s`, complete in itself.
        mode: "processes" is one process per core, "vmap" one program; "auto" takes processes on a CPU, where vmapping
            costs more than a loop, and one program on an accelerator.
        env: the family as an object; None makes it from `config`.
        show: tell on stderr how far it is.

    Returns:
        `out`.

    Raises:
        ScoutError: as for one seed; what fails in processes is told by seed, after the others have gone on to the end.
        Interrupted: SIGINT or SIGTERM; all is saved.
    """
    out = Path(out)
    if mode == "processes" and config.by_hand:
        raise ScoutError("a family given as an object cannot be handed to other processes; choose vmap for the seeds.")
    configs = [dataclasses.replace(config, seed=config.seed + i) for i in range(count)]
    outs = [out / f"seed-{one.seed}" for one in configs]
    with RunDirectory(out) as directory:
        _settle_group(directory, configs)
        on_cpu = mode == "auto" and jax.default_backend() == "cpu"
        if mode == "vmap" or (mode == "auto" and not on_cpu):
            train_together(configs, outs, env, show)
        elif not config.by_hand:
            train_in_processes(configs, outs, out, show)
        else:
            for one, path in zip(configs, outs, strict=True):
                train(one, path, env, show)
    return out


def _settle_group(directory: RunDirectory, configs: list[RunConfig]) -> None:
    """Describe the group in its config.json, or check that it is the one there; seeds may be added to a group."""
    here = {name: value for name, value in configs[0].identity().items() if name != "seed"}
    seeds = {config.seed for config in configs}
    there = directory.read_config()
    if there is not None:
        if "seeds" not in there:
            raise ScoutError(f"{directory.path} holds a run of one seed; name another directory with --out DIR.")
        seeds |= set(there.pop("seeds"))
        refuse_other(directory.path, there, here)
    directory.write_config(json.dumps({"seeds": sorted(seeds)} | here, indent=2) + "\n")
