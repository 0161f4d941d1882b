"""Any path works, whatever characters are in it; and what is in the environment does no harm."""

import os
import subprocess
import sys
from pathlib import Path

import gymnasium
import jax
import numpy as np
import pytest
from probes.rooms import Rooms

import scoutrl
from scoutrl.envs import ProblemSet
from scoutrl.reporting.video import _name
from scoutrl.runs import checkpoint
from scoutrl.training.compilation import cache_directory, use_compilation_cache

SCRIPT, ROOMS = "probes.scripted:Script", "probes.rooms:Rooms"
NAMES = [
    "proj [v2]",
    "a\\b",
    "*",
    "?",
    "{a,b}",
    "[",
    "]",
    " both ends ",
    "ünï-日本-🙂",
    "two\nlines",
    "%s{}$HOME",
    "s3:",
    "-r",
    "~nouser",
    "quote'\"",
    "tmp",
    "0000000001.tmp",
    os.fsdecode(b"not utf-8 \xff"),
    "x" * 200,
]


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_is_read_back_from_any_path(tmp_path, name, monkeypatch):
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    for directory in (Path("checkpoints"), Path(name) / name, tmp_path / name / "whole"):
        directory.mkdir(parents=True, exist_ok=True)
        for number in (1, 2):
            checkpoint.save(directory, number, {"agent": {"w": np.full(3, number)}}, {"seed": 0}, {"iteration": number})
        found = checkpoint.load(directory, {"seed": 0}, ["agent"])
        assert found is not None
        assert found.parts["agent"]["w"].tolist() == [2, 2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["*", "s3:", os.fsdecode(b"a [b] \\ \xff\n")])
def test_a_run_goes_on_and_is_used_in_any_path(tmp_path, name, monkeypatch, capsys):
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    for steps in (16, 100):
        scoutrl.train(SCRIPT, ROOMS, steps, out=Path(name) / "r", settings={"iterations": 1}, show=False)
    run = Path(name) / "r"
    assert scoutrl.evaluate(run, trials=4).exploitation_return.mean == 2.0
    assert scoutrl.load(scoutrl.export(run, f"{name}.scout"), trust=True).horizon == 2
    assert all(film.is_file() for film in scoutrl.film(run, name))
    assert "damaged" not in capsys.readouterr().err


# Number 16


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"SCOUT_CACHE_DIR": ""},
        {"SCOUT_CACHE_DIR": "~nouser/cache"},
        {"XDG_CACHE_HOME": "~nouser"},
        {"SCOUT_CACHE_DIR": "/proc/none"},
        {"SCOUT_CACHE_DIR": "/dev/null/none"},
    ],
)
def test_the_cache_is_somewhere_or_nowhere_but_not_here(tmp_path, environment):
    program = "from scoutrl.training.compilation import use_compilation_cache; use_compilation_cache()"
    around = {k: v for k, v in os.environ.items() if k not in ("SCOUT_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR")}
    around |= {"HOME": str(tmp_path / "home")} | environment
    (here := tmp_path / "here").mkdir()
    subprocess.run([sys.executable, "-c", program], cwd=here, env=around, check=True)
    assert not list(here.iterdir())


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def none(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("SCOUT_CACHE_DIR", raising=False)
    monkeypatch.setattr(Path, "expanduser", none)
    monkeypatch.setitem(jax.config.values, "jax_compilation_cache_dir", None)
    with pytest.raises(RuntimeError):
        cache_directory()
    use_compilation_cache()


@pytest.mark.slow
def test_64_bits_are_refused_in_one_line(tmp_path):
    for line in (f"train {SCRIPT} {ROOMS} --out r", "evaluate r", f"compare {ROOMS} --algorithms {SCRIPT} --out c"):
        done = subprocess.run(
            [sys.executable, "-m", "scoutrl", *line.split()],
            cwd=tmp_path,
            env=os.environ | {"JAX_ENABLE_X64": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2, done.stderr
        assert "unset JAX_ENABLE_X64" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


# Number 24


class Named(Rooms):
    """Rooms whose components have names of the user's choice."""

    def __init__(self, name: str):
        super().__init__()
        self.problems = ProblemSet([[0], [1], [2]], [0], [1, 2], [name])
        self.spaces = scoutrl.Spaces(gymnasium.spaces.Discrete(5), gymnasium.spaces.Discrete(4))


@pytest.mark.parametrize(
    "name",
    ["a/b", "/etc/passwd", "../../x", "nul\0", "..", ".hidden", "x" * 1000, "é" * 300, "a\nb", "", "\udcff", "C:\\"],
)
def test_the_names_of_films_are_those_of_files(tmp_path, name):
    names = [_name(Named(name), row) for row in range(3)]
    assert len(set(names)) == 3
    for one in names:
        (tmp_path / f".{one}.gif.1tmp").write_text("")
        assert (tmp_path / f"{one}.gif").parent == tmp_path
        assert not one.startswith(".")
        assert len(f"{one}.gif".encode()) < 150
    assert len(list(tmp_path.iterdir())) == 3


def test_the_names_of_films_are_those_of_problems():
    assert _name(Named("colour"), 2) == "colour-2"
    assert _name(Rooms(), 3) == "secret-1-shade-1"
