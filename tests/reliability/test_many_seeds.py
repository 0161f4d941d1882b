"""Many seeds: nothing is opened or made before its turn."""

import os
import time

import pytest

from scoutrl.cli import main
from scoutrl.engines import processes
from scoutrl.engines.seeds import SeedGroup
from scoutrl.runs.config import MOST_SEEDS, resolve

COMMANDS = ["train dream lever --out", "compare lever --algorithms dream --out", "coupling --out"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("seeds", ["1000000", "2147483647", "1e18"])
def test_too_many_are_refused_at_once(command, seeds, tmp_path, capsys):
    began = time.monotonic()
    assert main([*command.split(), str(tmp_path / "r"), "--seeds", seeds]) == 2
    assert time.monotonic() - began < 20
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "seeds must be 1 or more, up to 10" in said[0]
    assert not (tmp_path / "r").exists()


def test_seeds_that_wait_have_no_file_open(tmp_path, monkeypatch):
    opened = []

    def look(seeds, *_):
        opened.append(len(os.listdir("/proc/self/fd")))
        assert len(seeds) == MOST_SEEDS

    monkeypatch.setattr(processes, "_supervise", look)
    group = SeedGroup(resolve("probes.scripted:Script", "lever"), MOST_SEEDS, tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    processes.train_in_processes(group.seeds, tmp_path, show=False)
    assert opened[0] < before + 10
