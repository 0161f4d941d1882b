"""What is read of a run, and whose it has to be."""

import dataclasses
import json
import shutil
from pathlib import Path

import jax
import pytest
from training.runs import CHUNK, config

import scoutrl
from scoutrl import ScoutError
from scoutrl.runs.agent import agent_like
from scoutrl.runs.config import RunConfig, make_algorithm, make_env, resolve
from scoutrl.runs.open import open_run
from scoutrl.runs.record import is_finished
from scoutrl.training.loop import train


@pytest.fixture
def run(scripted_run, tmp_path) -> Path:
    """A run of one checkpoint, in a directory whose name has brackets in it."""
    return Path(shutil.copytree(scripted_run, tmp_path / "run [v2]"))


def newest(run: Path) -> Path:
    return max((run / "checkpoints").iterdir())


@pytest.mark.slow
def test_a_run_is_used_by_its_agent_alone(run, tmp_path, capsys):
    for part in ("training", "replay"):
        (newest(run) / f"{part}.safetensors").write_bytes(b"lost")
    assert scoutrl.evaluate(run, trials=4).exploitation_return.mean == 2.0
    assert scoutrl.film(run, tmp_path / "films")
    assert scoutrl.load(run).horizon == 2
    assert capsys.readouterr().err == ""
    with pytest.raises(ScoutError, match=r"all checkpoints in .* are damaged"):
        scoutrl.train("probes.scripted:Script", "probes.rooms:Rooms", 32, out=run, settings={"iterations": 1})
    assert "is damaged (training.safetensors is not as it was written)" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_in_a_directory_with_brackets_goes_on(tmp_path):
    out = tmp_path / "run [v2]"
    for chunks in (1, 2):
        train(config(chunks * CHUNK), out, show=False)
    assert open_run(out).env_steps == 2 * CHUNK


def test_whether_a_run_is_finished_is_known_without_any_array(run):
    mine = RunConfig.from_json((run / "config.json").read_text())
    for file in newest(run).glob("*.safetensors"):
        file.unlink()
    assert is_finished(mine, run)
    assert not is_finished(dataclasses.replace(mine, steps=10 * mine.steps), run)
    assert not is_finished(dataclasses.replace(mine, seed=1), run)


def test_checkpoints_of_another_seed_are_refused(scripted_seeds, run):
    shutil.rmtree(run / "checkpoints")
    shutil.copytree(scripted_seeds / "2" / "checkpoints", run / "checkpoints")
    for use in (scoutrl.load, scoutrl.evaluate):
        with pytest.raises(ScoutError, match=r"another run: .*seed is 2 there and 0 here"):
            use(run)
    with pytest.raises(ScoutError, match=r"another run: .*seed is 2 there and 0 here"):
        scoutrl.train("probes.scripted:Script", "probes.rooms:Rooms", 32, out=run, settings={"iterations": 1})


def test_a_run_of_0_1_is_refused_with_the_version_to_use(run):
    content = json.loads((run / "config.json").read_text())
    del content["format"]
    (run / "config.json").write_text(json.dumps(content))
    for use in (scoutrl.load, scoutrl.evaluate):
        with pytest.raises(ScoutError, match=r"scout 0\.1.*pip install scoutrl==0\.1\.0") as error:
            use(run)
        assert "\n" not in str(error.value)
    with pytest.raises(ScoutError, match=r"scout 0\.1.*pip install scoutrl==0\.1\.0"):
        scoutrl.train("probes.scripted:Script", "probes.rooms:Rooms", 32, out=run, settings={"iterations": 1})
    assert json.loads((run / "config.json").read_text()) == content


def test_a_group_of_0_1_is_refused_and_left_as_it_is(tmp_path):
    content = {"seeds": [0, 1], "algorithm": "probes.scripted:Script"}
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(ScoutError, match=r"scout 0\.1"):
        scoutrl.train("probes.scripted:Script", "probes.rooms:Rooms", 16, out=tmp_path, seeds=2, show=False)
    assert json.loads((tmp_path / "config.json").read_text()) == content


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts bytes as Linux does")
def test_a_large_replay_is_not_read(run):
    with (newest(run) / "replay.safetensors").open("wb") as file:
        file.truncate(50_000_000)
    before = bytes_read()
    open_run(run)
    assert 0 < bytes_read() - before < 1_000_000


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_the_agent_of_sign_is_small():
    config = resolve("dream", "sign")
    arrays = [x for x in jax.tree.leaves(agent_like(make_algorithm(config), make_env(config))) if hasattr(x, "dtype")]
    assert 1e5 < sum(x.size * x.dtype.itemsize for x in arrays) < 10e6
