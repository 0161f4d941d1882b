"""The examples of docs/families.md do what the page says."""

import re
import sys
from pathlib import Path

import pytest

import scoutrl
from scoutrl.envs.check import check
from scoutrl.envs.problems import SPLITS
from scoutrl.exact.bounds import bounds

PAGE = Path(__file__).parents[2] / "docs" / "families.md"


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """The page's Python, with its two modules saved in the current directory."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for name in ("corridor", "corridor_bounds"):
        source = next(block for block in blocks if f"class {'Listed' * (name != 'corridor')}Corridor(" in block)
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield blocks
    for name in ("corridor", "corridor_bounds"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_the_family_can_be_made_by_name(examples):
    family = scoutrl.make("corridor:Corridor", codes=6)
    check(family)
    assert family.problems.sizes == (6, 5)
    assert not set(family.problems.train) & set(family.problems.test)


@pytest.mark.slow
def test_the_short_examples_run(examples, capsys):
    for block in examples:
        if "check(" in block or "InteractiveEnv" in block or "Description" in block:
            exec(block, {"__name__": "example"})
    said = capsys.readouterr().out
    assert "[3 3 0] " in said
    assert "enter 0" in said


@pytest.mark.slow
def test_bounds(examples):
    found = bounds(scoutrl.make("corridor_bounds:ListedCorridor"))
    assert found["optimum"] == pytest.approx(dict.fromkeys(SPLITS, 0.85))
    assert found["standing"] == pytest.approx(dict.fromkeys(SPLITS, -0.5))
