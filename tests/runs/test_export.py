"""An agent in one file: the same agent, and nothing but data."""

import dataclasses
import errno
import json
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
import safetensors
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from probes.rooms import Rooms
from safetensors.numpy import save_file

import scoutrl
from scoutrl import ScoutError, Spaces
from scoutrl.algorithms.registry import algorithms
from scoutrl.runs import export as module
from scoutrl.runs.agent import agent_like
from scoutrl.runs.config import make_algorithm, make_env, resolve
from scoutrl.runs.export import export, import_agent
from scoutrl.runs.open import TrainedRun, open_run
from scoutrl.runs.spaces import spaces_from_json, spaces_to_json


def actions(agent: scoutrl.DeployedAgent) -> list[int]:
    """What an agent does in a few episodes of `Rooms`, greedily and with noise."""
    world, found = scoutrl.InteractiveEnv(Rooms()), []
    for greedy in (True, False):
        memory = agent.begin(seed=3)
        for phase in ("exploration", "exploitation", "exploitation"):
            observation = world.reset(5, 1)
            memory = agent.begin_episode(memory, phase, goal=world.goal if phase == "exploitation" else None)
            over = False
            while not over:
                action, memory = agent.act(memory, observation, greedy)
                observation, reward, terminated, truncated = world.step(action)
                memory = agent.observe(memory, action, (observation, reward, terminated, truncated))
                over = terminated or truncated
                found.append(action)
    return found


@pytest.fixture(scope="module")
def file(scripted_run, tmp_path_factory) -> Path:
    """The agent of `scripted_run` in a file; only to be read."""
    return scoutrl.export(scripted_run, tmp_path_factory.mktemp("exported") / "agent.scout")


@pytest.mark.slow
def test_a_file_gives_the_agent_of_its_run(scripted_run, file):
    mine, exported = scoutrl.load(scripted_run), scoutrl.load(file, trust=True)
    assert actions(mine) == actions(exported)
    for name in ("spaces", "horizon", "explorations", "exploitations"):
        assert getattr(mine, name) == getattr(exported, name)
    assert [path.name for path in file.parent.iterdir()] == ["agent.scout"]


def test_a_file_says_where_it_comes_from(file):
    with safetensors.safe_open(file, "np") as content:
        said = json.loads(content.metadata()["scoutrl"])
    assert said["version"] == scoutrl.__version__
    assert said["training"]["family"] == "probes.rooms:Rooms"
    assert (said["training"]["seed"], said["training"]["env_steps"]) == (0, 24)
    found = import_agent(file, trust=True)
    assert (found.training.algorithm, found.env_steps) == ("probes.scripted:Script", 24)


@pytest.mark.parametrize(
    ("algorithm", "family"),
    [*((name, "distracting-bus") for name in algorithms()), ("dream", "cooking"), ("dream", "sign"), ("pearl", "sign")],
)
def test_every_algorithm_and_every_kind_of_family_can_be_exported(algorithm, family, tmp_path):
    config = resolve(algorithm, family)
    made, env = make_algorithm(config), make_env(config)
    random = np.random.default_rng(0)
    trained = jax.tree.map(
        lambda x: jax.numpy.asarray(random.normal(size=x.shape), x.dtype) if isinstance(x, jax.ShapeDtypeStruct) else x,
        agent_like(made, env),
    )
    run = TrainedRun(tmp_path, config, env, env, made, trained.agent, trained.knowledge, 7)
    found = import_agent(export(run, tmp_path / "agent.scout"))
    assert eqx.tree_equal(found.agent, trained.agent, typematch=True)
    assert (found.spaces, found.horizon, found.env_steps) == (env.spaces, env.horizon, 7)


def test_nothing_is_overwritten_unless_it_is_to_be(scripted_run, tmp_path):
    (tmp_path / "agent.scout").write_text("precious")
    with pytest.raises(ScoutError, match=r"agent\.scout is there already"):
        scoutrl.export(scripted_run, tmp_path / "agent.scout")
    assert (tmp_path / "agent.scout").read_text() == "precious"
    scoutrl.export(scripted_run, tmp_path / "agent.scout", overwrite=True)
    scoutrl.load(tmp_path / "agent.scout", trust=True)


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_none(scripted_run, tmp_path, monkeypatch):
    with pytest.raises(ScoutError, match="could not be written"):
        scoutrl.export(scripted_run, tmp_path / "nowhere" / "agent.scout")

    def full(path, arrays, metadata):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "write_tensors", full)
    with pytest.raises(ScoutError, match="disk is full"):
        scoutrl.export(scripted_run, tmp_path / "agent.scout")
    assert list(tmp_path.iterdir()) == []


def test_an_agent_that_knows_more_of_its_family_is_not_exported(scripted_run, tmp_path):
    trained = open_run(scripted_run)
    odd = dataclasses.replace(trained, agent=Odd(trained.agent.shift, "of the family"))  # type: ignore[attr-defined]
    with pytest.raises(ScoutError, match=r"depends on more than the family's spaces"):
        export(odd, tmp_path / "agent.scout")
    assert list(tmp_path.iterdir()) == []


class Odd(eqx.Module):
    shift: jax.Array
    secret: str


def test_code_is_imported_only_where_it_is_trusted(file):
    with pytest.raises(ScoutError, match=r"needs the code of probes\.scripted:Script.*trust=True"):
        scoutrl.load(file)


def test_damaged_and_foreign_files_are_named(file, tmp_path):
    content = file.read_bytes()
    flipped = bytearray(content)
    flipped[-1] ^= 1
    other = {"a": np.zeros(3, np.float32)}
    save_file(other, tmp_path / "foreign")
    text = json.dumps({"format": 2, "training": {"env_steps": 1}})
    save_file(other, tmp_path / "strange", {"scoutrl": text, "sha256": module._checksum(text, other)})
    for name, data, message in [
        ("flipped", bytes(flipped), "is damaged: it is not as it was written"),
        ("cut", content[:-1], "no exported agent, or damaged"),
        ("edited", content.replace(b"rooms:Rooms", b"rooms:Halls"), "is damaged"),
        ("empty", b"", "no exported agent, or damaged"),
        ("text", b"Dear all, the agent is attached.", "no exported agent, or damaged"),
        ("foreign", None, "no exported agent: scout did not write it"),
        ("strange", None, "cannot be read"),
    ]:
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(ScoutError, match=message) as error:
            scoutrl.load(tmp_path / name, trust=True)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "spaces",
    [
        Spaces(Box(0, 255, (4, 5, 3), np.uint8), Discrete(3, start=2), MultiDiscrete([2, 3], start=[1, 0])),
        Spaces(
            Box(np.array([-1, -np.inf], np.float32), np.array([0.1, np.inf], np.float32)), Box(-1, 1, (2,), np.float32)
        ),
    ],
)
def test_spaces_come_back_from_json(spaces):
    again = spaces_from_json(json.loads(json.dumps(spaces_to_json(spaces), allow_nan=False)))
    assert again == spaces
    for mine, theirs in ((spaces.observation, again.observation), (spaces.action, again.action)):
        if isinstance(mine, Box):
            assert isinstance(theirs, Box)
            np.testing.assert_array_equal(mine.high, theirs.high)
