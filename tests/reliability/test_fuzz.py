"""Whatever is in the files of a run or on the command line: exit code 0 or 2, one line, no traceback (issue 11).

A few examples by default; `SCOUT_FUZZ=2000` tries so many of each kind.
"""

import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoutrl.cli import main
from scoutrl.cli.app import COMMANDS
from scoutrl.engines import seeds as engines_seeds
from scoutrl.evaluation import evaluate
from scoutrl.experiments import compare, coupling
from scoutrl.training import loop

TRIES = int(os.environ.get("SCOUT_FUZZ", "12"))
fuzz = settings(
    max_examples=TRIES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

numbers = st.one_of(st.integers(), st.sampled_from([0, -1, 2**31, 2**63, 10**30]), st.floats())
names = st.sampled_from(
    ["algorithm", "family", "seed", "seeds", "steps", "settings", "format", "rate", "shift", "coupling"]
)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def run(scripted_run, tmp_path_factory):
    """A copy whose files may be damaged."""
    copy = tmp_path_factory.mktemp("fuzz") / "run"
    shutil.copytree(scripted_run, copy)
    return copy


@pytest.fixture(autouse=True)
def _nothing_runs_long(monkeypatch):
    """What is asked for is refused or not; what is not would take minutes each."""

    def nothing(*_, **__):
        raise _EverythingWasRead

    # Modules, not their names: one imported only now would keep what has been put in for another's function.
    monkeypatch.setattr(evaluate, "scorer", nothing)
    monkeypatch.setattr(loop, "TrainingProgram", nothing)
    for module in (engines_seeds, compare, coupling):
        monkeypatch.setattr(module, "train_groups", nothing)


class _EverythingWasRead(BaseException):
    """The command line and the files were found good."""


def code_of(words: list[str]) -> int:
    try:
        return main(words)
    except _EverythingWasRead:
        return 0


def assert_no_traceback(words: list[str], capsys) -> None:
    code = code_of(words)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert code in (0, 2), words
    if code == 2 and words:
        assert len([line for line in said.splitlines() if line.startswith("scout: ")]) == 1, said


@pytest.mark.slow
@fuzz
@given(data=st.data())
def test_config(data, run, scripted_run, capsys):
    """A value replaced, added or removed, or the file cut, changed or replaced."""
    text = (scripted_run / "config.json").read_text()
    content = json.loads(text)
    how = data.draw(st.sampled_from(["value", "setting", "remove", "all", "bytes", "cut"]))
    if how == "value":
        content[data.draw(st.sampled_from(sorted(content)) | st.text(max_size=6))] = data.draw(values)
    elif how == "setting":
        within = content[data.draw(st.sampled_from(["settings", "family_options"]))]
        within[data.draw(st.sampled_from([*sorted(within), "env"]))] = data.draw(values)
    elif how == "remove":
        del content[data.draw(st.sampled_from(sorted(content)))]
    elif how == "all":
        content = data.draw(values)
    written = json.dumps(content).encode()
    if how == "bytes":
        written = data.draw(st.binary(max_size=50))
    elif how == "cut":
        written = written[: data.draw(st.integers(0, len(written)))]
    (run / "config.json").write_bytes(written)
    assert_no_traceback(["evaluate", str(run), "--trials", "4"], capsys)
    (run / "config.json").write_bytes(written)
    train = ["train", "probes.scripted:Script", "probes.rooms:Rooms", "--steps", "64", "--set", "iterations=1"]
    assert_no_traceback([*train, "--out", str(run)], capsys)


@pytest.mark.slow
@fuzz
@given(data=st.data())
def test_metrics(data, run, scripted_run, capsys):
    """Lines damaged, missing, doubled or of another kind; the checkpoints are good."""
    shutil.copy(scripted_run / "config.json", run / "config.json")
    lines = (scripted_run / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines)))
        names = st.sampled_from(["iteration", "env_steps", "seconds", "validation_return"])
        row = st.dictionaries(names, values, max_size=4)
        odd = st.binary(max_size=30) | values.map(lambda value: json.dumps(value).encode() + b"\n")
        lines.insert(place, data.draw(odd | row.map(lambda value: json.dumps(value).encode() + b"\n")))
    (run / "metrics.jsonl").write_bytes(b"".join(lines))
    train = ["train", "probes.scripted:Script", "probes.rooms:Rooms", "--set", "iterations=1", "--out"]
    assert_no_traceback([*train, str(run), "--steps", data.draw(st.sampled_from(["16", "64"]))], capsys)
    assert_no_traceback(["evaluate", str(run), "--trials", "4"], capsys)


OPTIONS = "--preset --seed --seeds --steps --out --set --seeds-mode --trials --split --env --video --json --algorithms "
OPTIONS += "--minutes --sizes --help --version"
WORDS = [*COMMANDS, *OPTIONS.split(), "dream", "rl2", "lever", "distracting-bus", "vmap", "test", "env.size=4"]
WORDS += [
    "capacity=3",
    "learner=ppo",
    "dream,bottleneck=none",
    "4",
    "1e3",
    "-1",
    "",
    "--",
    "-",
    "=",
    "--set=",
    "a:b",
    "os:path",
]
word = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8", exclude_characters="\0/~"), max_size=6)
assignment = st.tuples(
    st.sampled_from(["capacity", "lambda_", "env.size", "learner", "iterations", "width", "nonsense"]), word
).map("=".join)


lines = st.lists(word | assignment, max_size=8)
commands = st.sampled_from([*COMMANDS]).flatmap(lambda command: lines.map(lambda words: [command, *words]))


@fuzz
@given(words=lines | commands)
def test_command_lines(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scoutrl.exact.bounds.bounds", lambda env: {"optimum": {"train": 1.0, "test": 1.0}})
    monkeypatch.setattr("scoutrl.exact.exploration.exploration_length", lambda env: {})
    assert_no_traceback(words, capsys)
