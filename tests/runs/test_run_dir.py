import os
import signal
import subprocess
import sys

import pytest

from scoutrl.errors import ScoutError
from scoutrl.runs.run_dir import RunDirectory, differences, refuse_other


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path):
    with RunDirectory(tmp_path / "run"), pytest.raises(ScoutError, match=f"process {os.getpid()} is writing"):
        RunDirectory(tmp_path / "run")
    RunDirectory(tmp_path / "run").close()


def test_a_killed_process_leaves_no_lock(tmp_path):
    code = f"from scoutrl.runs.run_dir import *; a = RunDirectory(Path({str(tmp_path)!r})); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ScoutError, match=f"process {holder.pid} is writing"):
            RunDirectory(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    RunDirectory(tmp_path).close()


def test_a_new_directory_has_no_config_and_then_the_one_written(tmp_path):
    with RunDirectory(tmp_path / "a" / "b") as directory:
        assert directory.read_config() is None
        directory.write_config('{"seed": 3}\n')
        assert directory.read_config() == {"seed": 3}
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [".lock", "config.json"]


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ScoutError, match=r"holds thesis\.tex and no config\.json"):
        RunDirectory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["{", "[1]", "\x00"])
def test_an_unreadable_config_is_one_line(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with RunDirectory(tmp_path) as directory, pytest.raises(ScoutError, match=r"config\.json") as error:
        directory.read_config()
    assert "\n" not in str(error.value)


def test_a_file_in_the_place_of_the_directory_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScoutError, match="could not be written"):
        RunDirectory(tmp_path / "file")


def test_what_differs_is_named():
    there = {"seed": 3, "settings": {"trials_per_iteration": 8, "rate": 0.1}, "family": "lever"}
    here = {"seed": 0, "settings": {"trials_per_iteration": 8, "rate": 0.2}, "family": "lever"}
    assert differences(there, here) == ["seed is 3 there and 0 here", "rate is 0.1 there and 0.2 here"]


def test_a_tuple_is_the_list_that_json_makes_of_it(tmp_path):
    refuse_other(tmp_path, {"sizes": [1, 2]}, {"sizes": (1, 2)})
