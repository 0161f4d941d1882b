"""The command `scout`, from its front door; and every way to mistype it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scoutrl.cli import main
from scoutrl.commands import COMMANDS, Algorithms, Compare, Coupling, Train

TESTS = Path(__file__).parent
SCRIPT, ROOMS = "probes.scripted:Script", "probes.rooms:Rooms"


def scout(*words, **options):
    """A process of its own, as from a shell in the tests' directory."""
    command = [sys.executable, "-m", "scoutrl", *map(str, words)]
    return subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=120, **options)


def parsed(*words):
    from scoutrl.arguments import parse

    return parse(words)


def test_train_evaluate_and_train_on(tmp_path, capsys):
    out = tmp_path / "run"
    words = [
        "train",
        SCRIPT,
        ROOMS,
        "--out",
        out,
        "--set",
        "iterations=1",
        "trials=2",
        "--seed=3",
        "--set",
        "rate=0.25",
    ]
    first = scout(*words, "--steps", "1_2")
    assert first.returncode == 0, first.stderr
    assert f"scout evaluate {out}" in first.stdout
    config = json.loads((out / "config.json").read_text())
    assert (config["seed"], config["steps"], config["iterations"]) == (3, 12, 1)
    assert (config["settings"]["trials"], config["settings"]["rate"]) == (2, 0.25)

    judged = scout("evaluate", out, "--trials", "20", "--json")
    assert judged.returncode == 0, judged.stderr
    result = json.loads(judged.stdout)
    assert judged.stdout.count("\n") == 1
    assert result["exploitation_return"] == {"mean": 2.0, "ci95": [2.0, 2.0]}
    assert result["protocol"]["exploitation_episodes"] == 2
    assert {"family", "algorithm", "split", "trials", "exploration_return", "exploration_length"} < result.keys()
    assert "20 trials" in judged.stderr

    assert main([*map(str, words), "--steps", "12", "--set", "rate=0.5"]) == 2
    refused = capsys.readouterr().err
    assert refused.count("\n") == 1
    assert "rate is 0.25 there and 0.5 here" in refused


def test_help_needs_no_jax():
    program = "import sys; from scoutrl.cli import main; main(['--help']); assert 'jax' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout


def test_a_reader_who_has_read_enough_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "scoutrl", "algorithms"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.stderr == b""


def test_help_explains_every_command_and_option(capsys):
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert all(name in overview for name in COMMANDS)
    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        assert f"usage: scout {name}" in capsys.readouterr().out
    assert main(["train", "dream", "-h"]) == 0
    said = capsys.readouterr().out
    for option in ("ALGORITHM", "FAMILY", "--preset", "--seed", "--seeds", "--steps", "--out", "--set", "--seeds-mode"):
        assert option in said
    assert main([]) == 2
    assert capsys.readouterr().out == overview


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("scout 0.")


def test_lists(capsys):
    assert main(["families"]) == 0
    listed = capsys.readouterr().out
    assert {line.split()[0] for line in listed.splitlines()} >= {"bus", "distracting-bus", "map", "cooking", "lever"}
    assert main(["algorithms"]) == 0
    assert capsys.readouterr().out.startswith("dream")
    assert main(["algorithms", SCRIPT]) == 0
    assert "shift = 0\n    Is added to the right answer.\n" in capsys.readouterr().out


def test_bounds(capsys):
    assert main(["bounds", "lever", "--json"]) == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    found = json.loads(said)
    assert found["family"] == "lever"
    assert found["optimum"] == {"train": 1.0, "test": 1.0}
    assert main(["bounds", "lever"]) == 0
    assert "optimum" in capsys.readouterr().out


def test_words_become_commands():
    assert parsed("train", "a", "b") == Train("a", "b")
    command = parsed("train", "--steps", "4e5", "a", "--seeds_mode=vmap", "b", "--set", "x=1", "y=-2", "--set=z=a=b")
    assert command == Train("a", "b", steps=400_000, seeds_mode="vmap", sets=("x=1", "y=-2", "z=a=b"))
    assert parsed("train", "a", "--set", "x=1", "b") == Train("a", "b", sets=("x=1",))
    assert parsed("algorithms") == Algorithms(None)
    command = parsed("compare", "a", "--algorithms", "b", "c,x=1", "--out", "d", "--minutes", "2.5", "--json")
    assert command == Compare("a", ("b", "c,x=1"), "d", minutes=2.5, json=True)
    assert parsed("coupling", "--out", "d", "--sizes", "4", "8e0") == Coupling("d", sizes=(4, 8))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trian dream bus", "no command 'trian'; did you mean 'train'"),
        ("run", "no command 'run'"),
        ("--verison", "did you mean '--version'"),
        ("train", "ALGORITHM and FAMILY are missing"),
        ("train dream", "FAMILY is missing: scout train ALGORITHM FAMILY"),
        ("train dream bus cooking", "'cooking' is one word too many"),
        ("train dream bus --stpes 3", "no option '--stpes' of `scout train`; did you mean '--steps'"),
        ("train dream bus -seed 3", "did you mean '--seed'"),
        ("train dream bus --steps", "--steps needs a value"),
        ("train dream bus --steps --seed 1", "--steps needs a value"),
        ("train dream bus --steps many", "--steps must be a whole number"),
        ("train dream bus --steps 1.5", "--steps must be a whole number"),
        ("train dream bus --steps -5", "--steps must be 1 or more; it is -5"),
        ("train dream bus --steps=", "--steps must be a whole number"),
        ("train dream bus --seeds 0", "--seeds must be 1 or more"),
        ("train dream bus --seed -1", "--seed must be 0 or more"),
        ("train dream bus --seed 1e99", "seed must be 0 or more, up to 2147483647"),
        ("train dream bus --out=", "--out needs a value"),
        ("train dream bus --seeds-mode threads", "--seeds-mode takes auto or processes or vmap"),
        ("train dream bus --set", "--set needs a value, for example --set trials=16"),
        ("train dream bus --set trials", "--set takes name=value"),
        ("train dream bus --set trails=3", "did you mean 'trials'"),
        ("train dream bus --set trials=many", "trials takes a whole number, for example --set trials=16"),
        ("train dream bus --set env.size=3", "no setting 'env.size' of bus"),
        ("train dream bus --preset quick", "no preset 'quick' of dream for bus; there are: default"),
        ("train draem bus", "no algorithm 'draem'; did you mean 'dream'"),
        ("train dream buss", "no family 'buss'; did you mean 'bus'"),
        ("train dream nowhere:Bus", "there is no module 'nowhere'"),
        ("train dream probes.rooms:Room", "did you mean 'Rooms'"),
        ("evaluate", "RUN_DIR is missing: scout evaluate RUN_DIR"),
        ("evaluate runs/none", "the run directory runs/none does not exist"),
        ("evaluate .", "holds no run"),
        ("evaluate runs/none --trials 0", "--trials must be 1 or more"),
        ("evaluate runs/none --split valid", "--split takes test or train; it cannot be 'valid'"),
        ("evaluate runs/none --json=yes", "--json takes no value"),
        (
            "compare",
            "FAMILY and --algorithms and --out are missing: scout compare FAMILY --algorithms",
        ),
        ("compare bus --algorithms dream", "--out is missing: scout compare FAMILY --algorithms"),
        ("compare bus --algorithms --out x", "--algorithms needs a value, for example --algorithms dream"),
        ("compare bus --algorithms draem --out x", "did you mean 'dream'"),
        ("compare bus --algorithms dream,fast=1 --out x", "no setting 'fast' of dream"),
        ("compare bus --algorithms dream --out x --steps 9 --minutes 1", "over --steps or over --minutes"),
        ("compare bus --algorithms dream --out x --minutes soon", "--minutes must be a number above 0"),
        ("compare bus --algorithms dream,preset=quick --out x", "no preset 'quick' of dream for bus"),
        ("coupling --out x --sizes 4 many", "--sizes must be a whole number"),
        ("coupling --out x --algorithms dreem", "did you mean 'dream'"),
        ("bounds", "FAMILY is missing"),
        ("bounds cookin", "did you mean 'cooking'"),
        ("bounds bus --set trials=3", "env.NAME=VALUE; 'trials' is none"),
        ("families bus", "'bus' is one word too many"),
        ("algorithms deram", "did you mean 'dream'"),
    ],
)
def test_mistakes_are_told_in_one_line(line, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.startswith("scout: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_bugs_are_not_hidden(monkeypatch):
    def broken(words):
        raise ZeroDivisionError

    monkeypatch.setattr("scoutrl.cli.parse", broken)
    with pytest.raises(ZeroDivisionError):
        main(["families"])


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (SystemExit(0), 0)])
def test_leaving_early(monkeypatch, stop, code):
    def leave(words):
        raise stop

    monkeypatch.setattr("scoutrl.cli.parse", leave)
    assert main(["families"]) == code
