"""Exceptions come whole out of other processes."""

import importlib
import multiprocessing
import pickle
import re
import signal
from pathlib import Path

import pytest

import scoutrl
from scoutrl.errors import RunsFailedError, ScoutError
from scoutrl.runs.tensors import UnreadableError
from scoutrl.training.channel import EndedError
from scoutrl.training.signals import Interrupted


class OwnError(ScoutError):
    """One of a user's, with arguments of its own."""

    def __init__(self, *, code: int):
        super().__init__(f"code {code}")
        self.code = code


EVERY = [
    ScoutError("one line"),
    RunsFailedError("1 of 2 failed", {Path("runs/0"): "NaN"}),
    Interrupted("Stopped.", signal.SIGTERM),
    UnreadableError("is not as it was written"),
    EndedError("has ended", True, signal.SIGTERM),
    OwnError(code=3),
]


def fail(place: int) -> None:
    raise EVERY[place]


def test_all_classes_are_here():
    package = Path(scoutrl.__file__).parent
    ours = set()
    for file in package.rglob("*.py"):
        name = ".".join(["scoutrl", *file.relative_to(package).with_suffix("").parts]).removesuffix(".__init__")
        # Only what may hold one is imported: some modules are programs, or need an extra.
        if re.search(r"^class \w+\(.*(Error|Exception|Interrupt|Exit|Interrupted|Warning)\b", file.read_text(), re.M):
            kinds = vars(importlib.import_module(name)).values()
            ours |= {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseException)}
    ours = {kind for kind in ours if kind.__module__.startswith("scoutrl")}
    assert ours == {type(error) for error in EVERY} - {OwnError}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_pickled_errors_are_the_same(error, protocol):
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_pool_passes_them_on():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for place, error in enumerate(EVERY):
            if isinstance(error, Exception):  # a pool does not catch what ends a program
                with pytest.raises(type(error), match=str(error)):
                    pool.apply_async(fail, (place,)).get(timeout=120)
