"""For all tests: strict JAX with two devices, compiled programs apart from the user's own, and a limit on memory."""

import ctypes
import gc
import os
import resource
import signal
import sys
from pathlib import Path

import jax
import psutil
import pytest
from probes.registered import FAMILIES
from probes.rooms import Rooms

import scoutrl
from scoutrl.envs.sign.miniworld import check as check_miniworld
from scoutrl.errors import ScoutError

# Set here and not in the environment: processes that tests start are as a user's are. Before anything computes.
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_rank_promotion", "raise")
# Most of the tests' time is compiling, and most programs run for a moment: they need not be fast. For processes that
# tests start as well.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

MOST_MEMORY = 2.0
"""Gigabytes that a process of tests may take at most."""
MUCH_MEMORY = 0.5
"""Gigabytes from which on memory is given back after each test; from twice that on, compiled programs as well."""
PEAKS = pytest.StashKey[dict[str, tuple[float, str]]]()
"""Process of tests to the most gigabytes it took, and the test in which it did."""
HIGHEST = pytest.StashKey[tuple[float, str]]()
"""The same of this process."""


def pytest_configure(config):
    config.stash[PEAKS] = {}
    config.stash[HIGHEST] = (0.0, "")
    os.environ.setdefault("SCOUT_CACHE_DIR", str(config.cache.mkdir("compiled")))
    # A shell's background job ignores SIGINT, and so would everything the tests start and mean to interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Files stay whole: what the tests of a file share, programs above all, would else be made in each process."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    result = yield
    if (peak := peak_memory()) > item.config.stash[HIGHEST][0]:
        item.config.stash[HIGHEST] = (peak, item.nodeid)
    give_back_memory(programs=nextitem is None or nextitem.path != item.path)
    return result


def pytest_sessionfinish(session):
    peaks, own = session.config.stash[PEAKS], session.config.stash[HIGHEST]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["peak_memory"] = own
        return
    peaks.setdefault("this process", own)
    if max(peaks.values())[0] > MOST_MEMORY and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    if "peak_memory" in (told := getattr(node, "workeroutput", {})):
        node.config.stash[PEAKS][node.gateway.id] = told["peak_memory"]


def pytest_terminal_summary(terminalreporter, config):
    peaks = config.stash[PEAKS]
    said = ", ".join(
        f"{name} {peak:.2f} GB" + (f" in {test}" if test else "") for name, (peak, test) in sorted(peaks.items())
    )
    too_much = max(peaks.values(), default=(0.0, ""))[0] > MOST_MEMORY
    verdict = f": FAILED, it must stay below {MOST_MEMORY:g} GB" if too_much else ""
    terminalreporter.write_line(f"peak memory: {said}{verdict}", red=too_much)


def peak_memory() -> float:
    """The most memory that this process ever took, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def give_back_memory(programs: bool) -> None:
    """Hand memory that is no longer used to the system; with `programs`, give up what JAX has compiled as well.

    Compiling leaves half a gigabyte behind, which is free and yet stays with the process unless it is asked for.
    """
    taken = psutil.Process().memory_info().rss / 1e9
    if taken < MUCH_MEMORY:
        return
    if programs or taken > 2 * MUCH_MEMORY:
        jax.clear_caches()
        gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # of the GNU C library alone
        trim(0)


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
        check_miniworld()
    except ScoutError as error:
        pytest.skip(str(error))


@pytest.fixture(params=FAMILIES)
def family(request) -> str:
    """Name of a built-in family in JAX, each in its turn."""
    return request.param
