"""The examples of docs/suites.md, against the real packages where these are installed."""

import re
import sys
from pathlib import Path

import jax
import pytest
from test_architecture import PACKAGE

import scoutrl
from scoutrl.envs.check import check, check_render
from scoutrl.envs.suites.make import Options

PAGE = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")
MODULES = re.findall(r"save this as `(\w+)\.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL | re.IGNORECASE)
NEEDS = {"poles": "gymnax", "grids": "xminigrid", "pendulums": "brax"}
LONG = {"grids"}
"""All branches of XLand's rules take long to compile; tests/envs/test_xland.py steps the same environment."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the packages' own
@pytest.mark.parametrize(
    ("name", "source"),
    [pytest.param(*one, id=one[0], marks=[pytest.mark.long] if one[0] in LONG else []) for one in MODULES],
)
def test_the_examples_are_families_of_the_real_packages(name, source, tmp_path, monkeypatch):
    pytest.importorskip(NEEDS[name], exc_type=ImportError)
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with jax.numpy_rank_promotion("allow"):
        family = scoutrl.make(f"{name}:{name}")
        check(family)
        check_render(family)
        world = scoutrl.InteractiveEnv(family)
        world.reset(1)
        _, reward, *_ = world.step(family.spaces.action.sample())
    assert family.horizon in (80, 100)
    assert reward == reward
    sys.modules.pop(name)


def test_each_example_is_trained_by_a_command():
    assert [name for name, _ in MODULES] == list(NEEDS)
    assert [name for name in NEEDS if f"scout train dream {name}:{name}" not in PAGE.replace("e-rl2", "dream")] == []


def test_all_options_are_on_the_page():
    assert [name for name in Options.__annotations__ if f"{name}=" not in PAGE] == []


def test_no_suite_is_imported_by_scout():
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert re.findall(rf"^ *(?:import|from) (?:{'|'.join(NEEDS.values())})\b", sources, re.MULTILINE) == []
