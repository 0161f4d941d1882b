"""Whatever is in the files of a run or on the command line: exit code 0 or 2, one line, no traceback.

A few examples by default; `SCOUT_FUZZ=2000` tries so many of each kind.
"""

import json
import os
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoutrl.cli import main
from scoutrl.cli.app import COMMANDS
from scoutrl.engines import seeds as engines_seeds
from scoutrl.envs.check import check_own
from scoutrl.envs.problems import SPLITS
from scoutrl.evaluation import evaluate
from scoutrl.experiments import compare, coupling, plan
from scoutrl.experiments.comparison_dir import describe_comparison
from scoutrl.reporting.known_bounds import KnownBounds
from scoutrl.results.comparison import AlgorithmResult, Budget, Comparison, SeedResult
from scoutrl.results.curves import Curve
from scoutrl.results.statistics import Iqm
from scoutrl.runs import families
from scoutrl.runs import open as opened
from scoutrl.runs.run_dir import RunDirectory
from scoutrl.training import loop

SCRIPT, ROOMS = "probes.scripted:Script", "probes.rooms:Rooms"
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
    for module in (families, opened, plan):
        monkeypatch.setattr(module, "check_own", _check_once)


_CHECKED: set[tuple] = set()


def _check_once(env, *, play=True):
    """A family that is as it was in an earlier try need not be played again."""
    what = (type(env), repr(env), play, *(bytes(np.asarray(leaf)) for leaf in jax.tree.leaves(env)))
    if what not in _CHECKED:
        check_own(env, play=play)
        _CHECKED.add(what)


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


ONE = AlgorithmResult(
    label="dream",
    algorithm="dream",
    preset="default",
    settings={"z": 3},
    final=Iqm(0.5, (0.25, 0.75), 1),
    seeds=(
        SeedResult(0, "dream/seed-0", 16, 1, 1.0, 0.5, 0.0, 2.0, None),
        SeedResult(1, "dream/seed-1", 0, 0, 0.0, None, None, None, "NaN"),
    ),
    by_steps=Curve([8.0, 16.0], [0.0, 0.5], None, None, 1),
    by_seconds=None,
    protocol=None,
)
COMPARED = Comparison(Path(), "lever", {"size": 4}, Budget(16, None), 8, 0, {"optimum": 1.0}, algorithms=(ONE,))


def changed(draw, content, depth: int = 0):
    """JSON with one value replaced, added or removed, at whatever depth."""
    inner = sorted(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else []
    if depth == 0 or (inner and draw(st.integers(0, 3))):
        place = draw(st.sampled_from(inner))
        found = content.copy()
        found[place] = changed(draw, content[place], depth + 1)
        return found
    if inner and draw(st.booleans()):
        place = draw(st.sampled_from(inner))
        found = content.copy()
        del found[place]
        return found
    return draw(values)


@fuzz
@given(data=st.data())
def test_results(data, tmp_path, capsys):
    """The results of a comparison, of which a page is made."""
    content = json.loads(json.dumps(COMPARED.to_dict()))
    written = json.dumps(changed(data.draw, content))
    if data.draw(st.integers(0, 9)) == 0:
        written = written[: data.draw(st.integers(0, len(written)))]
    (tmp_path / "results.json").write_text(written)
    assert_no_traceback(["report", str(tmp_path)], capsys)


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """The directory of a comparison with work in it, so that it has to be gone on with."""
    out = tmp_path_factory.mktemp("comparison")
    planned = plan.plan(ROOMS, [SCRIPT], 5, out, Budget(16, None), 8, {})
    with RunDirectory(out) as directory:
        describe_comparison(directory, planned.groups, planned.budget)
    (out / "seed-0" / "checkpoints" / "0000000001").mkdir(parents=True)
    (out / "seed-0" / "config.json").write_text("{}")
    return out


@pytest.mark.slow
@fuzz
@given(data=st.data())
def test_config_of_a_comparison(data, begun, capsys):
    """Its algorithms, family, options or budget."""
    words = ["compare", ROOMS, "--algorithms", SCRIPT, "--steps", "16", "--out", str(begun)]
    good = (begun / "config.json").read_text()
    (begun / "config.json").write_text(json.dumps(changed(data.draw, json.loads(good))))
    assert_no_traceback(words, capsys)
    (begun / "config.json").write_text(good)


OPTIONS = "--preset --seed --seeds --steps --out --set --seeds-mode --trials --split --env --video --json --algorithms "
OPTIONS += "--minutes --sizes --help --version --until --engine --address --cpus-per-run --gpus-per-run --storage "
OPTIONS += "--problems --horizon --track --trust --export"
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
    "ray",
    "csv",
    "95%",
    "gym:FrozenLake-v1",
    "problems.json",
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
    (tmp_path / "problems.json").write_text('[{"map_name": "4x4"}]')
    # Not the functions within: what they find is kept on disk, for those who want the true bounds.
    monkeypatch.setattr("scoutrl.api.find_bounds", lambda env: KnownBounds({"optimum": dict.fromkeys(SPLITS, 1.0)}, {}))
    monkeypatch.setattr("scoutrl.training.advice.advise", lambda family: [])
    assert_no_traceback(words, capsys)
