import importlib.metadata
import os
import sys

import pytest

from scoutrl.envs import MetaEnv, registry
from scoutrl.envs.lever import Lever
from scoutrl.envs.sign import miniworld
from scoutrl.errors import ScoutError
from scoutrl.simulators.sign import MakeSign


def test_built_in_families_can_be_made(family):
    env = registry.make(family)
    assert isinstance(env, MetaEnv)
    assert registry.name_of(env) == family


def test_without_miniworld_its_family_says_what_to_install(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    monkeypatch.setattr(miniworld, "find_spec", lambda name: None)
    miniworld.check.cache_clear()
    assert "sign-miniworld" not in registry.families()
    with pytest.raises(
        ScoutError, match=r"pip install 'scoutrl\[miniworld\]', and on Debian apt-get install .*libegl1"
    ):
        registry.make("sign-miniworld")


def test_options_reach_the_constructor():
    assert len(registry.make("lever", size=7).problems.ids) == 7


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("buss", {}, r"there is no family 'buss'; did you mean 'bus'\?"),
        ("qqqqqq", {}, "there are: bus, distracting-bus, map, cooking, cooking-split, lever"),
        ("no_such_module:Family", {}, "there is no module 'no_such_module'"),
        ("scoutrl.envs.bus:Buss", {}, "there is no family 'Buss' of scoutrl.envs.bus; did you mean 'Bus'"),
        ("scoutrl.errors:ScoutError", {}, "must be a subclass of scoutrl.MetaEnv"),
        ("scoutrl.envs.bus:City", {}, "must define has_map, horizon, lines, problems, spaces, weights"),
        ("lever", {"sise": 8}, "there is no option 'sise' of lever; did you mean 'size'"),
        ("lever", {"size": "8"}, "option size of lever must be a whole number; it cannot be '8'"),
        ("lever", {"size": 1}, "size must be a whole number of at least 2, not 1"),
        ("cooking", {"ids": "nummer"}, "option ids of cooking must be 'number' or 'components'; it cannot be 'nummer'"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(ScoutError, match=message):
        registry.make(name, **options)


class Windowless(MakeSign):
    """Makes what it should in the process that made it, and fails in any other."""

    def __init__(self, *given):
        super().__init__(*given)
        self.home = os.getpid()

    def __call__(self, problem, render_mode=None):
        if os.getpid() != self.home:
            raise ImportError("Library EGL not found")
        return super().__call__(problem, render_mode)


def test_a_simulator_that_does_not_start_is_one_line(monkeypatch):
    monkeypatch.setattr(miniworld, "MakeSign", Windowless)
    monkeypatch.setattr(miniworld, "find_spec", lambda name: True)
    miniworld.check.cache_clear()
    said = r"Miniworld failed \(ImportError: Library EGL not found\); on Debian it needs: apt-get install"
    with pytest.raises(ScoutError, match=said):
        registry.make("sign-miniworld")


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A module of the user's own in the current directory."""
    source = """
from scoutrl.envs import MetaEnv

class Needy(MetaEnv):
    def __init__(self, depth: int):
        raise ValueError(f"depth {depth}\\nis too deep")

Needy.__abstractmethods__ = Needy.__abstractvars__ = frozenset()
"""
    (tmp_path / "scout_own_families.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "scout_own_families"
    sys.modules.pop("scout_own_families", None)


def test_a_constructor_that_raises(own_module):
    with pytest.raises(
        ScoutError, match="Needy cannot be made: its constructor raised ValueError: depth 3 is too deep"
    ):
        registry.make(f"{own_module}:Needy", depth=3)


def test_a_missing_option(own_module):
    with pytest.raises(ScoutError, match="cannot be made without its option 'depth'"):
        registry.make(f"{own_module}:Needy")


def test_families_of_installed_packages(monkeypatch):
    point = importlib.metadata.EntryPoint("my-lever", "scoutrl.envs.lever:Lever", registry.GROUP)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    assert isinstance(registry.make("my-lever", size=3), Lever)
    assert "scoutrl.envs.lever" in registry.families()["my-lever"].summary
