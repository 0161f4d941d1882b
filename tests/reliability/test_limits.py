"""A disk, an index of files or a limit that is full is one line, whenever it is met."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from reliability.commands import QUICK, SCRIPT, environment
from reliability.test_run_directory import open_record, save

from scoutrl import _platform
from scoutrl.errors import ScoutError
from scoutrl.runs import checkpoint, files

WRITES = ["os.mkdir", "checkpoint.write_tensors", "checkpoint.write_manifest", "checkpoint.sync", "os.rename"]
REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EFBIG: "File too large",
    errno.EMFILE: "Too many open files",
    errno.EROFS: "Read-only file system",
}


@pytest.mark.parametrize("number", REASONS)
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("first", [True, False])
def test_a_checkpoint_that_cannot_be_written(tmp_path, monkeypatch, write, number, first, capsys):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with open_record(tmp_path / "r") as run:
        run.open_log()
        if not first:
            save(run)
        with monkeypatch.context() as patch:
            module, _, name = write.partition(".")
            patch.setattr({"os": os, "checkpoint": checkpoint}[module], name, refuse)
            with pytest.raises(ScoutError, match=REASONS[number]) as error:
                save(run)
        assert "\n" not in str(error.value)
        assert run.begun != first
        names = [path.name for path in (tmp_path / "r" / "checkpoints").glob("*")]
        assert names == [] if first else names == ["0000000001"]
        save(run)
    assert capsys.readouterr().err == ""


def limited(limit: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", sys.executable, "-m", "scoutrl", *map(str, words)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "more", "said"),
    [
        ("-n 6", [], "could not be written (Too many open files)"),
        ("-n 9", ["--seeds", "2"], "raise its limits (ulimit -n, ulimit -u)"),
        ("-f 1", ["note=" + "x" * 2000], "could not be written (File too large)"),
    ],
)
def test_limits_of_the_shell(tmp_path, limit, more, said):
    done = limited(limit, *SCRIPT, *QUICK, *more, "--out", tmp_path / "r")
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert said in done.stderr.splitlines()[-1]


def test_no_more_files_or_processes():
    for number in (errno.EMFILE, errno.EAGAIN):
        with pytest.raises(ScoutError, match="ulimit"), _platform.on_this_machine():
            raise OSError(number, os.strerror(number))
    with pytest.raises(ScoutError, match="temporary directory"), _platform.on_this_machine():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    with pytest.raises(FileNotFoundError), _platform.on_this_machine():
        raise FileNotFoundError(errno.ENOENT, "no such file")


def identity(path):
    """What says that a file is the same as before, followed or read as it may have been since."""
    status = os.lstat(path)
    return status.st_ino, status.st_mode, status.st_mtime_ns, status.st_size


@pytest.mark.parametrize("kind", ["directory", "pipe", "link to a directory", "link to a pipe"])
def test_nothing_but_a_file_is_replaced(tmp_path, kind):
    special = tmp_path / "special"
    special.mkdir() if "directory" in kind else os.mkfifo(special)
    path = tmp_path / "link" if "link" in kind else special
    if path != special:
        path.symlink_to(special)
    before = identity(path)
    with pytest.raises(OSError, match="is a directory" if "directory" in kind else "is no regular file"):
        files.write_text(path, "a page")
    with pytest.raises(ScoutError, match="could not be written"):
        files.new_file(path)
    assert identity(path) == before
    for nothing in (Path(), Path("/")):
        with pytest.raises(IsADirectoryError):
            files.write_text(nothing, "a page")
