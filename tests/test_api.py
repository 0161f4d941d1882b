"""The same in Python: names or objects, paths or handles."""

import os

import pytest
from probes.rooms import Rooms

import scoutrl
from scoutrl import ScoutError
from scoutrl.api import default_out
from scoutrl.runs.config import resolve

QUICK = {"iterations": 1}


def test_every_public_name_is_there():
    for name in dir(scoutrl):
        assert getattr(scoutrl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        scoutrl.trian  # noqa: B018


@pytest.mark.slow
def test_a_handle_knows_the_object_a_path_must_be_told(tmp_path):
    env = Rooms(train=[0, 1], test=[6, 7])
    run = scoutrl.train("probes.scripted:Script", env, 16, out=tmp_path / "run", settings=QUICK, show=False)
    result = scoutrl.evaluate(run, trials=4)
    assert (result.protocol.problems, result.protocol.unseen) == (2, True)
    assert os.fspath(run) == str(run) == str(tmp_path / "run")
    assert scoutrl.load(run).horizon == 2
    with pytest.raises(ScoutError, match="pass the object itself as env="):
        scoutrl.evaluate(run.path)
    assert scoutrl.evaluate(run.path, trials=4, env=env).exploitation_return == result.exploitation_return
    assert scoutrl.load(run.path, env=env).horizon == 2


def test_the_same_call_goes_on_and_another_is_refused(scripted_run):
    def again(**changes):
        arguments = {"steps": 16, "out": scripted_run, "settings": QUICK, "show": False} | changes
        return scoutrl.train("probes.scripted:Script", Rooms(), **arguments)

    assert again().path == scripted_run
    with pytest.raises(ScoutError, match=r"another run.*seed"):
        again(seed=5)


def test_a_family_that_breaks_its_promises_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ScoutError, match=r"Rooms\.step .*reward"):
        scoutrl.train("probes.scripted:Script", Rooms(reward=float("nan")), 16, out=tmp_path / "run", show=False)
    assert list(tmp_path.iterdir()) == []


def test_default_directories_are_safe_names():
    config = resolve("probes.scripted:Script", "probes.rooms:Rooms", seed=2)
    assert str(default_out(config, 1)) == "runs/probes.scripted-Script-probes.rooms-Rooms-seed2"
    assert str(default_out(config, 4)) == "runs/probes.scripted-Script-probes.rooms-Rooms-seeds4-from2"


@pytest.mark.slow
def test_several_seeds_make_several_agents(tmp_path):
    out = tmp_path / "group"
    run = scoutrl.train(
        "probes.scripted:Script", Rooms(), 16, out=out, seeds=2, settings=QUICK, seeds_mode="vmap", show=False
    )
    assert len(scoutrl.evaluate(run, trials=4).seeds) == 2
    with pytest.raises(ScoutError, match="seeds must be 1 or more"):
        scoutrl.train("probes.scripted:Script", Rooms(), 16, out=out, seeds=0)
