"""For all tests: the probe families can be imported, and compiled programs are kept apart from the user's own."""

import os
import signal
from pathlib import Path

import pytest
from probes.rooms import Rooms

import scoutrl
from scoutrl.envs import registry
from scoutrl.envs.sign import simulator
from scoutrl.errors import ScoutError


def pytest_configure(config):
    os.environ.setdefault("SCOUT_CACHE_DIR", str(config.cache.mkdir("compiled")))
    # A shell's background job ignores SIGINT, and so would everything the tests start and mean to interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def scripted_run(tmp_path_factory) -> Path:
    """A run of one seed whose agent plays `Rooms` perfectly; only to be read."""
    out = tmp_path_factory.mktemp("runs") / "scripted"
    settings = {"iterations": 1}
    return scoutrl.train("probes.scripted:Script", Rooms(), 16, out=out, settings=settings, show=False).path


@pytest.fixture(scope="session")
def scripted_seeds(tmp_path_factory) -> Path:
    """A directory with two seeds: seed 1 plays perfectly, seed 2 always wrongly. Only to be read."""
    parent = tmp_path_factory.mktemp("seeds")
    for seed in (1, 2):
        settings = {"iterations": 1, "errs": "some seeds"}
        scoutrl.train("probes.scripted:Script", Rooms(), 16, seed, parent / str(seed), settings=settings, show=False)
    return parent


@pytest.fixture(scope="session")
def miniworld():
    """Skips where the real simulator is not installed, or lacks system packages."""
    try:
        simulator.check()
    except ScoutError as error:
        pytest.skip(str(error))


@pytest.fixture(params=registry.families())
def family(request) -> str:
    """Name of a built-in family, each in its turn."""
    if request.param == "sign-miniworld":
        request.getfixturevalue("miniworld")
    return request.param
