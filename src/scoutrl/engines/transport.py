"""Run directories on their way between machines: copied while they are written to, kept in a storage, fetched."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import final

from pyarrow.fs import FileSelector, FileSystem, FileType, copy_files
from ray.tune import Checkpoint

from scoutrl.engines.seed_process import SeedRun
from scoutrl.errors import ScoutError
from scoutrl.runs import checkpoint
from scoutrl.runs.begun import CHECKPOINTS, has_work
from scoutrl.runs.config import completed
from scoutrl.runs.files import writing
from scoutrl.runs.record import TO_GO_ON
from scoutrl.runs.run_dir import CONFIG, RunDirectory, refuse_other


def snapshot(run: Path, into: Path) -> bool:
    """Copy a run directory that another process is writing to.

    Returns:
        False if files vanished meanwhile, as those of an old checkpoint do: try again later. What is copied can be
        gone on from, since a run directory can at any moment.
    """
    shutil.rmtree(into, ignore_errors=True)
    try:
        shutil.copytree(run, into, ignore=shutil.ignore_patterns(".lock", "*.tmp", "wandb"))
    except (shutil.Error, FileNotFoundError):
        return False
    return checkpoint.finished(into / CHECKPOINTS)


def refuse_others(seed: SeedRun) -> None:
    """Check before anything is trained that a run may be written into its directory.

    Raises:
        ScoutError: it holds another run or something else, or is in use.
    """
    with RunDirectory(seed.out) as directory:
        there = directory.read_config()
        if there is not None and has_work(seed.out):
            mine = seed.config.identity()
            known = completed(there, mine)
            refuse_other(seed.out, {name: known.get(name) for name in mine}, mine)


@final
class Storage:
    """Where the machines of a cluster keep runs while they are trained: a directory of each within one experiment."""

    def __init__(self, uri: str, within: Path):
        """Use the directory or URI for the runs in the directory `within`.

        Raises:
            ScoutError: there is no such storage.
        """
        try:
            self.files, self.root = FileSystem.from_uri(uri)
        except (ValueError, OSError) as error:
            raise ScoutError(f"the storage {uri} cannot be used ({error}); name a directory or s3://…") from error
        self.experiment = "scout-" + _digest(os.path.abspath(within))
        """The same for the same runs, so that what a killed command left behind is found again."""
        self._place = f"{self.root}/{self.experiment}"

    def name(self, seed: SeedRun) -> str:
        """The directory of a run in the experiment."""
        return f"seed-{seed.config.seed}-{_digest(json.dumps([seed.label, seed.config.identity()], sort_keys=True))}"

    def put(self, seed: SeedRun) -> Checkpoint | None:
        """Take what has been trained of a run there; None if that is nothing."""
        if not has_work(seed.out):
            return None
        place = f"{self._place}/begun/{self.name(seed)}"
        with tempfile.TemporaryDirectory() as scratch:
            copied = Path(scratch) / "run"
            if not snapshot(seed.out, copied):
                return None
            self.files.create_dir(place)
            copy_files(str(copied), place, destination_filesystem=self.files)
        return Checkpoint(place, self.files)

    def recover(self, seed: SeedRun) -> None:
        """Fetch the furthest of a run that a command left behind when it was killed, and remove it there.

        Raises:
            ScoutError: nothing of it can be fetched; it is left as it is.
        """
        place = f"{self._place}/{self.name(seed)}"
        found = self.files.get_file_info(FileSelector(place, allow_not_found=True))
        kept = sorted((one.path for one in found if re.search(r"/checkpoint_\d+$", one.path)), reverse=True)
        # The newest may have been cut off while it was written.
        if kept and not any(fetch(Checkpoint(path, self.files), seed) for path in kept):
            raise ScoutError(f"what is left of it in {place} cannot be fetched; mend that, or remove it.")
        _remove(self.files, place)

    def clear(self, seeds: Iterable[SeedRun]) -> None:
        """Remove what was kept of these runs."""
        for seed in seeds:
            for kept in (self.name(seed), f"begun/{self.name(seed)}"):
                _remove(self.files, f"{self._place}/{kept}")


def fetch(kept: Checkpoint, seed: SeedRun) -> bool:
    """Write a run that was trained elsewhere into its run directory, unless that is further.

    Returns:
        Whether it is whole.

    Raises:
        ScoutError: the directory is in use or cannot be written to.
    """
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "run"
        try:
            kept.to_directory(str(found))
            theirs = checkpoint.load(found / CHECKPOINTS, seed.config.identity(), TO_GO_ON)
        except (OSError, ScoutError):
            return False
        if theirs is None:  # cut off while it was written
            return False
        with RunDirectory(seed.out), writing(seed.out):
            ours = checkpoint.load(seed.out / CHECKPOINTS, seed.config.identity(), [])
            if ours is None or ours.counters["iteration"] < theirs.counters["iteration"]:
                # First of all: without it, a directory with anything in it is no run directory.
                shutil.copy2(found / CONFIG, seed.out / CONFIG)
                shutil.copytree(found, seed.out, dirs_exist_ok=True)
    return True


def _remove(files: FileSystem, place: str) -> None:
    if files.get_file_info(place).type != FileType.NotFound:
        files.delete_dir(place)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
