"""Several runs on the machines of a Ray cluster, by Ray Tune: one trial a run, moved when its machine is lost."""

import contextlib
import logging
import os
import socket
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, final

import ray
from ray import tune

from scoutrl.engines.cluster import Cluster
from scoutrl.engines.on_node import FAILURE, train_on_node
from scoutrl.engines.seed_process import IDLE, Command, SeedRun, share_done
from scoutrl.engines.transport import Storage, fetch, refuse_others
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.runs.metrics import newest
from scoutrl.runs.record import is_finished, print_status
from scoutrl.training.progress_bar import ProgressBar
from scoutrl.training.signals import Interrupted, StopSignals

_MOST_LOSSES = 100
"""Processes and machines that one run may lose: one that is killed again and again, for want of memory say, ends."""
_ANSWER = 10.0
"""Seconds that the head of a cluster may take to answer."""


def train_on_ray(which: Sequence[SeedRun], within: Path, cluster: Cluster, show: bool) -> None:
    """Train each seed on some machine of the cluster; all of them are as long. Run directories are as if trained here.

    A run whose process or machine is lost goes on elsewhere from its last checkpoint. If this process is lost, the same
    command goes on with what it left in the storage.

    Raises:
        RunsFailedError: some seeds failed, each is named; the others have gone on to the end.
        ScoutError: no such cluster or storage.
        Interrupted: SIGINT or SIGTERM; what was saved last is in the run directories.
    """
    cluster.check()
    storage = Storage(cluster.storage_for(within), within)
    failures: dict[Path, str] = {}
    for seed in which:
        try:
            refuse_others(seed)
            storage.recover(seed)
        except (ScoutError, OSError) as error:
            failures[seed.out] = str(error)
    seeds = [seed for seed in which if seed.out not in failures and not is_finished(seed.config, seed.out)]
    stop = StopSignals("this second", show)
    if seeds:
        with _connected(cluster), stop, ProgressBar(which[0].config, share_done(seeds), show) as display:
            try:
                failures |= _train(seeds, cluster, storage, stop, display)
            except OSError as error:
                raise ScoutError(f"the storage {storage.root} cannot be used ({error}).") from error
    if stop.received and not all(is_finished(seed.config, seed.out) for seed in seeds):
        raise Interrupted(f"Stopped; what was saved last is in {within}; the same command goes on.", stop.received)
    if failures:
        said = " ".join(f"{seed.name}: {failures[seed.out]}" for seed in which if seed.out in failures)
        raise RunsFailedError(f"{len(failures)} of {len(which)} seeds failed. {said}", failures)


def _train(
    seeds: list[SeedRun], cluster: Cluster, storage: Storage, stop: StopSignals, display: ProgressBar
) -> dict[Path, str]:
    """Carry out one experiment to its end and fetch the runs; gives the failures."""
    named = {storage.name(seed): seed for seed in seeds}
    tuner = tune.Tuner(
        tune.with_resources(train_on_node, {"cpu": cluster.cpus_per_run, "gpu": cluster.gpus_per_run}),
        param_space={"run": tune.grid_search([_request(seed, name, storage) for name, seed in named.items()])},
        tune_config=tune.TuneConfig(trial_dirname_creator=lambda trial: trial.config["run"]["name"]),
        run_config=tune.RunConfig(
            name=storage.experiment,
            storage_path=storage.root,
            storage_filesystem=storage.files,
            failure_config=tune.FailureConfig(max_failures=_MOST_LOSSES),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
            stop=_Stopper(stop),
            callbacks=[_Display(named, display)],
            verbose=0,
        ),
    )
    failures: dict[Path, str] = {}
    for result in tuner.fit():
        # By its directory: one that has told nothing yet, as it waits or fails at once, has no configuration.
        seed, failure = named[PurePosixPath(result.path).name], (result.metrics or {}).get(FAILURE)
        if result.checkpoint is not None and not fetch(result.checkpoint, seed):
            failure = failure or "what was trained of it could not be fetched; the same command tries again."
        if not (failure or result.error or stop.received or is_finished(seed.config, seed.out)):
            failure = "its end could not be fetched; the same command goes on."
        if failure or result.error:
            failures[seed.out] = failure or str(result.error)
    if not failures:
        storage.clear(seeds)
    return failures


def _request(seed: SeedRun, name: str, storage: Storage) -> dict[str, Any]:
    """What `train_on_node` is given."""
    command = Command.own()
    request = {"name": name, "config": seed.config.to_json(), "label": seed.label, "start": storage.put(seed)}
    return request | {"argv": command.argv, "path": command.path}


@contextlib.contextmanager
def _connected(cluster: Cluster) -> Iterator[None]:
    """Join the cluster, or make one of this machine; Ray is quiet unless something is wrong.

    Raises:
        ScoutError: there is no such cluster.
    """
    os.environ |= {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "TUNE_DISABLE_SIGINT_HANDLER": "1"}
    how: dict[str, Any] = {} if cluster.address else {"include_dashboard": False}
    try:
        _reach(cluster.address)
        with warnings.catch_warnings():
            # Ray starts its own processes, in which no JAX is used.
            warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
            ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False, **how)
    except (OSError, ValueError, RuntimeError) as error:
        where = cluster.address or "this machine"
        raise ScoutError(f"no Ray cluster at {where} ({str(error).splitlines()[0]}); see docs/clusters.md.") from error
    try:
        look_for_room(cluster)
        yield
    finally:
        ray.shutdown()


def look_for_room(cluster: Cluster) -> None:
    """See whether some machine of the cluster that was joined has what a run takes; if none, say what is waited for.

    Raises:
        ScoutError: the cluster is this machine alone, so that a run would wait forever.
    """
    wanted = {"CPU": cluster.cpus_per_run, "GPU": cluster.gpus_per_run}
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(all(machine.get(kind, 0.0) >= count for kind, count in wanted.items()) for machine in machines):
        return
    have = " or ".join(f"{one.get('CPU', 0):g} cores and {one.get('GPU', 0):g} GPUs" for one in machines[:3])
    said = f"a run takes {wanted['CPU']:g} cores and {wanted['GPU']:g} GPUs, and no machine has them ({have})"
    if cluster.address is None:
        raise ScoutError(f"{said}; lower --cpus-per-run or --gpus-per-run.")
    print_status(f"{said}; waiting for one that joins the cluster.")


def _reach(address: str | None) -> None:
    """Try whether anything answers there: Ray itself tries for minutes, and then ends the process.

    Raises:
        OSError: nothing does.
        ValueError: the address is none.
    """
    if address is not None and address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), _ANSWER).close()


@final
class _Stopper(tune.Stopper):
    """Stops all trials after a signal."""

    def __init__(self, stop: StopSignals):
        self._stop = stop

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._stop.received is not None

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune notes its callbacks on disk, for a way of going on that is not used


@final
class _Display(tune.Callback):
    """Shows how far all trials are."""

    def __init__(self, named: dict[str, SeedRun], display: ProgressBar):
        self._rows: dict[str, dict[str, Any]] = {name: IDLE | newest(seed.out) for name, seed in named.items()}
        self._labels = [seed.label for seed in named.values()]
        self._display = display

    def on_trial_result(self, iteration: int, trials: list, trial: Any, result: dict[str, Any], **_: Any) -> None:
        self._rows[trial.config["run"]["name"]] |= result
        self._display.update(list(self._rows.values()), self._labels)

    def __getstate__(self) -> dict[str, Any]:
        return {}
