"""Trials are spread evenly over the problems, and do not depend on the size of a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms
from probes.scripted import Script, Scripted

import scoutrl
from scoutrl.errors import ScoutError
from scoutrl.evaluation import evaluate as module
from scoutrl.evaluation.evaluate import scorer
from scoutrl.trials.sampler import DeviceSampler

RIGHT, WRONG = Scripted(jnp.int32(0)), Scripted(jnp.int32(1))
PROTOCOL = Script().protocol(greedy=True)
SAMPLER = DeviceSampler(Rooms())


@pytest.mark.slow
def test_every_problem_of_the_split_gets_its_share():
    # Exploring earns 2 where the secret is 0, so that the return tells the problem.
    sampler = DeviceSampler(Rooms(shades=1, goals=1, train=[0], test=[0, 1, 2]))
    scores = scorer(sampler, PROTOCOL, 12, "test")(RIGHT, 0)
    assert (scores.exploration[:, 0] == 2).sum() == 4
    assert (scores.exploration[:3, 0] == 2).sum() == 1
    assert (scorer(sampler, PROTOCOL, 5, "train")(RIGHT, 0).exploration == 2).all()


@pytest.mark.slow
def test_a_trial_is_the_same_in_batches_of_any_size(monkeypatch):
    whole = scorer(SAMPLER, PROTOCOL, 10, "test")(RIGHT, 3)
    monkeypatch.setattr(module, "BATCH", 4)
    parts = scorer(SAMPLER, PROTOCOL, 10, "test")(RIGHT, 3)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        assert a.shape[0] == 10
        np.testing.assert_array_equal(a, b)
    other = scorer(SAMPLER, PROTOCOL, 10, "test")(RIGHT, 4)
    assert (whole.exploration != other.exploration).any()


@pytest.mark.slow
def test_one_run(scripted_run):
    result = scoutrl.evaluate(scripted_run, trials=20)
    assert result.exploitation_return.mean == 2.0
    assert result.exploitation_return.ci95 == (2.0, 2.0)
    assert len(result.per_episode) == 2
    assert (result.trials, result.protocol.problems, result.protocol.unseen) == (20, 8, False)
    assert scoutrl.evaluate(scripted_run, trials=1).to_dict()["exploitation_return"] == {"mean": 2.0, "ci95": None}


@pytest.mark.slow
def test_several_seeds_alone_and_together(scripted_seeds):
    result = scoutrl.evaluate(scripted_seeds, trials=8)
    assert [seed.exploitation_return.mean for seed in result.seeds] == [2.0, 0.0]
    assert result.exploitation_return.mean == 1.0
    listed = scoutrl.evaluate([scripted_seeds / "1", scripted_seeds / "2"], trials=8)
    assert listed.seeds == result.seeds


def test_what_is_half_there_is_named(tmp_path, scripted_run):
    (tmp_path / "config.json").write_text('{"seeds": [0, 1]}')
    with pytest.raises(ScoutError, match="meant for several seeds and holds none yet"):
        scoutrl.evaluate(tmp_path)
    (tmp_path / "config.json").write_text((scripted_run / "config.json").read_text())
    with pytest.raises(ScoutError, match="holds no checkpoint yet"):
        scoutrl.evaluate(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ScoutError, match=r"config\.json cannot be read"):
        scoutrl.evaluate(tmp_path)


@pytest.mark.slow
def test_mistakes_are_named(scripted_run, scripted_seeds, tmp_path):
    for run, arguments, message in [
        (tmp_path / "none", {}, "does not exist"),
        (tmp_path, {}, r"no config\.json in it"),
        (scripted_run / "config.json", {}, "is a file"),
        ([], {}, "empty"),
        (scripted_run, {"trials": 0}, "trials must be 1 or more"),
        (scripted_run, {"split": "valid"}, "'valid'"),
        ([scripted_run, scripted_seeds], {}, "not the same training"),
    ]:
        with pytest.raises(ScoutError, match=message):
            scoutrl.evaluate(run, **arguments)


class Halls(Rooms):
    """Another family than `Rooms`, with the same spaces unless told otherwise, and half the problems."""

    def __init__(self, goals: int = 2):
        super().__init__(shades=1, goals=goals, reward=0.5)


@pytest.mark.slow
def test_in_another_family_with_the_same_spaces(scripted_run, tmp_path):
    result = scoutrl.evaluate(scripted_run, trials=8, env=Halls())
    assert result.exploitation_return.mean == 1.0
    assert result.family.endswith(":Halls")
    assert (result.protocol.problems, result.protocol.unseen) == (4, False)
    assert scoutrl.evaluate(scripted_run, trials=8, env="probes.rooms:Rooms").family == "probes.rooms:Rooms"
    assert len(scoutrl.film(scripted_run, tmp_path, env=Halls())) == 4


def test_in_another_family_with_other_spaces(scripted_run):
    with pytest.raises(ScoutError, match=r"on probes.rooms:Rooms cannot act in .*Halls: the goal space is Discrete"):
        scoutrl.evaluate(scripted_run, trials=8, env=Halls(goals=3))
    with pytest.raises(ScoutError, match="cannot act in lever: the observation space is"):
        scoutrl.evaluate(scripted_run, trials=8, env="lever")
