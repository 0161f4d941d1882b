"""The examples of docs/algorithms.md train, learn and fail as the page says."""

import re
import shlex
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import scoutrl
from scoutrl.algorithms.dream.dream import information_gain
from scoutrl.algorithms.registry import algorithms, find
from scoutrl.cli import main
from scoutrl.envs.registry import families
from scoutrl.rl.registry import learners
from scoutrl.trials.sequences import Transitions

PAGE = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text(encoding="utf-8")
MODULES = dict(re.findall(r"as\s+`(\w+)\.py`[^`]*?```python\n(.*?)```", PAGE, re.DOTALL))
MISTAKES = re.findall(r"^\| `(\S+:\w+ \w+.*?|e-rl2 .*?)` \| `(.*?)` \|$", PAGE, re.MULTILINE)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """The current directory, with the page's modules in it."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in (*MODULES, "half"):
        sys.modules.pop(name, None)


def test_every_python_block_is_used():
    assert set(MODULES) == {"my_dream", "my_reinforce", "my_learner", "compass"}
    rest = [block for block in blocks("python") if block not in MODULES.values()]
    assert len(rest) == 1
    assert "my_reinforce:Reinforce" in rest[0]


@pytest.mark.slow
@pytest.mark.parametrize("commands", blocks("sh"), ids=lambda block: block.split()[2])
def test_commands_train_to_the_optimum(commands, capsys):
    for command in commands.splitlines():
        assert main(shlex.split(command)[1:]) == 0
    found = re.findall(r"exploitation return +(-?\d\S*)", capsys.readouterr().out)
    assert [float(value) > 0.95 for value in found] == [True]


@pytest.mark.slow
def test_the_example_in_python_learns(capsys):
    (block,) = (block for block in blocks("python") if block not in MODULES.values())
    exec(block, {})
    assert float(capsys.readouterr().out) > 0.95


@pytest.mark.parametrize("late", [0.0, 0.5, 1.0])
def test_the_reward_held_back_is_the_same_in_sum(late):
    mask = jnp.array([[True, True, False], [True, True, True]])
    seen, zeros = jnp.zeros((2, 3, 1)), jnp.zeros((2, 3))
    explored = Transitions(seen, zeros.astype(int), zeros, seen, mask, mask)
    distance = jnp.array([[4.0, 3.0, 1.0, 9.0], [4.0, 4.0, 3.0, 2.0]])
    made: Any = find("my_dream:LateDream")
    found = np.asarray(made(late=late).exploration_rewards(distance, explored))
    gain = np.asarray(information_gain(distance) * mask)
    np.testing.assert_allclose(found.sum(axis=1), gain.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found[:, 0], (1 - late) * gain[:, 0], rtol=1e-6)


@pytest.mark.parametrize(("words", "answer"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_mistakes_are_told_in_one_line(words, answer, capsys):
    assert main(["train", *shlex.split(words), "--out", "runs/wrong"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("scout: ")
    assert answer in said


def test_the_table_of_mistakes_was_read():
    assert len(MISTAKES) == 8


def test_missing_methods_are_named(directory):
    (directory / "half.py").write_text("from scoutrl.algorithms.dream import DreamBase\nclass Half(DreamBase): pass\n")
    with pytest.raises(scoutrl.ScoutError, match="exploration_rewards"):
        scoutrl.train("half:Half", "lever", out="runs/half", show=False)


def test_a_value_without_an_annotation_is_no_setting(directory):
    source = MODULES["my_dream"].replace("late: float = 1.0", "late = 1.0")
    (directory / "half.py").write_text(source)
    with pytest.raises(scoutrl.ScoutError, match="no setting 'late'"):
        scoutrl.train("half:LateDream", "lever", out="runs/half", settings={"late": 1.0}, show=False)


def test_entry_points_are_found(directory):
    (block,) = blocks("toml")
    groups = re.sub(r'\[project\.entry-points\."(.*?)"\]', r"[\1]", block).replace('"', "")
    metadata = directory / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(groups.replace("my_package.", ""))
    assert {point.name for point in entry_points(group="scoutrl.learners")} == {"peng"}
    assert algorithms()["late-dream"].summary == "from the package my-package"
    assert {"peng"} < set(learners())
    assert {"compass"} < set(families())
    assert find("late-dream").__name__ == "LateDream"
