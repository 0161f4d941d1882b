"""The command `scout`, from its front door; and every way to mistype it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoutrl
from scoutrl.cli import main
from scoutrl.cli.app import COMMANDS, parse
from scoutrl.errors import ScoutError

TESTS = Path(__file__).parent
SCRIPT, ROOMS = "probes.scripted:Script", "probes.rooms:Rooms"


def scout(*words, **options):
    """A process of its own, as from a shell in the tests' directory."""
    command = [sys.executable, "-m", "scoutrl", *map(str, words)]
    return subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=120, **options)


def parsed(line):
    """What a line says: the command's name and what was given to it."""
    command, given = parse(line.split())
    return command.__name__, given.arguments


@pytest.mark.slow
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
        "trials_per_iteration=2",
        "--seed=3",
        "--set",
        "rate=0.25",
    ]
    first = scout(*words, "--steps", "1_2")
    assert first.returncode == 0, first.stderr
    assert f"scout evaluate {out}" in first.stdout
    config = json.loads((out / "config.json").read_text())
    assert (config["seed"], config["steps"], config["iterations"]) == (3, 12, 1)
    assert (config["settings"]["trials_per_iteration"], config["settings"]["rate"]) == (2, 0.25)

    judged = scout("evaluate", out, "--trials", "20", "--json", "--trust")
    assert judged.returncode == 0, judged.stderr
    result = json.loads(judged.stdout)
    assert judged.stdout.count("\n") == 1
    assert result["exploitation_return"] == {"mean": 2.0, "ci95": [2.0, 2.0]}
    assert result["protocol"]["exploitation_episodes"] == 2
    assert {"family", "algorithm", "split", "trials", "exploration_return", "exploration_length"} < result.keys()
    assert "20 trials" in judged.stderr

    assert main([*map(str, words), "--steps", "12", "--set", "rate=0.5"]) == 2
    # Code of one's own is named when it is first imported.
    *told, refused = capsys.readouterr().err.splitlines()
    assert [line.split(" from ")[0] for line in told] in ([], ["Importing probes.scripted"])
    assert "rate is 0.25 there and 0.5 here" in refused


@pytest.mark.parametrize("line", ["--help", "train --help", "--version", "trian", "train dream bus --stpes 3"])
def test_help_and_mistyped_words_need_no_jax(line):
    program = f"import sys; from scoutrl.cli import main; main({line.split()}); assert 'jax' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout or done.stderr


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_into_80_columns_without_a_terminal(name):
    plain = os.environ | {"PYTHONIOENCODING": "ascii", "TERM": "dumb", "COLUMNS": "80"}
    done = scout(*name.split(), "--help", env=plain, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80


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
        assert f"Usage: scout {name}" in capsys.readouterr().out
    assert main(["train", "dream", "-h"]) == 0
    said = capsys.readouterr().out
    for option in ("ALGORITHM", "FAMILY", "--preset", "--seed", "--seeds", "--steps", "--out", "--set", "--seeds-mode"):
        assert option in said
    assert main([]) == 2
    assert capsys.readouterr().out == overview


def test_version(capsys):
    for word in ("--version", "version"):
        assert main([word]) == 0
        assert capsys.readouterr().out == f"scout {scoutrl.__version__}\n"


def test_lists(capsys):
    assert main(["families"]) == 0
    listed = capsys.readouterr().out
    assert {line.split()[0] for line in listed.splitlines()} >= {"bus", "distracting-bus", "map", "cooking", "lever"}
    assert main(["algorithms"]) == 0
    assert capsys.readouterr().out.startswith("dream")
    assert main(["algorithms", SCRIPT]) == 0
    assert "shift = 0\n    Is added to the right answer.\n" in capsys.readouterr().out


def test_the_settings_of_other_learners_are_listed_where_the_algorithm_goes_with_them(capsys):
    assert main(["algorithms", "e-rl2"]) == 0
    usual, other = capsys.readouterr().out.split("\nWith learner=ppo")
    assert "\nlambda_ = " in usual
    assert "\nclip = " in other
    assert "lambda_" not in other
    assert main(["algorithms", "dream"]) == 0
    assert "learner=ppo" not in capsys.readouterr().out


def test_bounds(capsys):
    assert main(["bounds", "lever", "--json"]) == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    found = json.loads(said)
    assert found["family"] == "lever"
    assert found["optimum"] == {"train": 1.0, "validation": 1.0, "test": 1.0}
    one = {"kind": "exact", "steps": 1.0, "reason": None}
    assert found["shortest_exploration"] == {"train": one, "test": one}
    assert main(["bounds", "lever"]) == 0
    said = capsys.readouterr().out
    assert "optimum" in said
    assert said.split()[-3:] == ["test", "1.00", "(exact)"]


def test_export(monkeypatch, capsys):
    monkeypatch.setattr("scoutrl.api.export", lambda run, file, trust: Path(run, file), raising=False)
    assert main(["export", "run", "agent"]) == 0
    assert capsys.readouterr().out == 'Exported: run/agent  (load it: scoutrl.load("run/agent"))\n'


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("train a b", {"algorithm": "a", "family": "b"}),
        ("train --steps 4e5 a --seeds_mode=vmap b", {"steps": 400_000, "seeds_mode": "vmap"}),
        ("train a --steps=400_000 --seed 0 b", {"algorithm": "a", "family": "b", "steps": 400_000, "seed": 0}),
        ("train a b --steps 1 --steps 2", {"steps": 2}),
        ("train a --set x=1 b", {"algorithm": "a", "family": "b", "sets": ("x=1",)}),
        ("train --set x=1 y=-2 a --seed 3 b", {"algorithm": "a", "family": "b", "sets": ("x=1", "y=-2")}),
        ("train a b --set x=1 y=-2 --set=z=a=b w=[1,2]", {"sets": ("x=1", "y=-2", "z=a=b", "w=[1,2]")}),
        ("train a b --set=x=1 --seed 3 --set y=2", {"sets": ("x=1", "y=2"), "seed": 3}),
        ("train --preset x=1 a b", {"algorithm": "a", "family": "b", "preset": "x=1"}),
        ("train a b --until -0.5", {"until": "-0.5"}),
        ("train a b --until 95% --steps 3", {"until": "95%", "steps": 3}),
        ("algorithms", {}),
        ("algorithms a", {"algorithm": "a"}),
        (
            "compare a --algorithms b c,x=1 --out d --minutes 2.5 --json",
            {"family": "a", "algorithms": ("b", "c,x=1"), "out": "d", "minutes": 2.5, "json": True},
        ),
        ("compare a --algorithms b --algorithms c --out d", {"algorithms": ("b", "c")}),
        ("coupling --out d --sizes 4 8e0", {"out": "d", "sizes": (4, 8)}),
        ("bounds a --set env.size=3 env.depth=2", {"family": "a", "sets": ("env.size=3", "env.depth=2")}),
        ("export a b", {"run": "a", "file": "b"}),
    ],
)
def test_words_become_commands(line, given):
    name, found = parsed(line)
    assert name == line.split()[0]
    assert {argument: found[argument] for argument in given} == given


WORDS = "a b=1 --set --set=c=2 --steps --steps=3 4 -5 - -- --json --json=x --algorithms --out= {} [1] --foo -h -seed"


@settings(deadline=None)
@given(st.sampled_from(list(COMMANDS)), st.lists(st.sampled_from([*WORDS.split(), "", "a\nb"]), max_size=7))
def test_whatever_is_typed_is_understood_or_told_in_one_line(command, words):
    try:
        said = parse([command, *words])[0].__name__
    except ScoutError as mistake:
        said = str(mistake)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trian dream bus", "no command 'trian'; did you mean 'train'"),
        ("run", "no command 'run'"),
        ("--verison", "did you mean '--version'"),
        ("train", "ALGORITHM is missing: scout train ALGORITHM FAMILY"),
        ("train dream", "FAMILY is missing: scout train ALGORITHM FAMILY"),
        ("train dream bus cooking", "'cooking' is one word too many"),
        ("train dream bus --stpes 3", "no option '--stpes' of `scout train`; did you mean '--steps'"),
        ("train dream bus -seed 3", "did you mean '--seed'"),
        ("train --seeed 3 dream", "did you mean '--seed'"),
        ("train dream bus --stpes=3", "no option '--stpes' of `scout train`; did you mean '--steps'"),
        ("train dream bus --steps", "--steps needs a value: --steps N"),
        ("train dream bus --steps --seed 1", "--steps needs a value"),
        ("train dream bus --steps many", "--steps must be a whole number"),
        ("train dream bus --steps 1.5", "--steps must be a whole number"),
        ("train dream bus --steps -5", "--steps must be 1 or more; it is -5"),
        ("train dream bus --steps=", "--steps must be a whole number"),
        ("train dream bus --seeds 0", "--seeds must be 1 or more"),
        ("train dream bus --seed -1", "--seed must be 0 or more"),
        ("train dream bus --seed 1e99", "seed must be 0 or more, up to 2147483647"),
        ("train dream bus --until soon", "until takes a return such as 0.75, a share of the optimum such as 95%,"),
        ("train dream sign --until 95%", "give until as a number: 95% of the optimum is unknown, as Sign has no exact"),
        ("train dream bus --out=", 'Invalid value "" for --out. It must not be empty.'),
        (
            "train dream bus --seeds-mode threads",
            '"threads" for --seeds-mode. Choose from: "auto", "processes", "vmap".',
        ),
        ("train dream bus --set", "--set needs a value: --set NAME=VALUE"),
        ("train dream bus --set trials", "--set takes name=value"),
        ("train dream bus --set trails_per_iteration=3", "did you mean 'trials_per_iteration'"),
        ("train dream bus --set z=many", "z takes a whole number, for example --set z=16"),
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
        ("evaluate runs/none --split valid", '"valid" for --split. Choose from: "test", "validation", "train".'),
        ("evaluate runs/none --json=please", 'Invalid value for --json: unable to convert "please"'),
        ("evaluate runs/none --no-json", "did you mean '--json'"),
        ("compare", "FAMILY is missing: scout compare FAMILY --algorithms ALGORITHM ... --out DIR"),
        ("compare bus --algorithms dream", "--out is missing: scout compare FAMILY --algorithms"),
        ("compare bus --algorithms --out x", "--algorithms needs a value: --algorithms ALGORITHM"),
        ("compare bus --algorithms draem --out x", "did you mean 'dream'"),
        ("compare bus --algorithms dream,fast=1 --out x", "no setting 'fast' of dream"),
        ("compare bus --algorithms dream --out x --steps 9 --minutes 1", "over --steps or over --minutes"),
        ("compare bus --algorithms dream --out x --minutes soon", "--minutes must be a number above 0"),
        ("compare bus --algorithms dream,preset=quick --out x", "no preset 'quick' of dream for bus"),
        ("compare bus --algorithms dream --out x --minutes inf", "--minutes must be a number above 0"),
        ("coupling --out x --sizes", "--sizes needs a value: --sizes N"),
        ("coupling --out x --sizes 4 many", "--sizes must be a whole number"),
        ("coupling --out x --algorithms dreem", "did you mean 'dream'"),
        ("bounds", "FAMILY is missing"),
        ("bounds cookin", "did you mean 'cooking'"),
        ("bounds bus --set trials=3", "env.NAME=VALUE; 'trials' is none"),
        ("export", "RUN is missing: scout export RUN FILE"),
        ("export runs/none", "FILE is missing: scout export RUN FILE"),
        ("exprot runs/none agent.scout", "did you mean 'export'"),
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
