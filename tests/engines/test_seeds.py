import dataclasses
import json

import numpy as np
import pytest
from training.runs import CHUNK, arrays, assert_same, config, rows

from scoutrl.engines.seeds import train_seeds
from scoutrl.errors import ScoutError
from scoutrl.runs.provenance import Provenance, read_provenance
from scoutrl.training.loop import train


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Seed 1 by itself; only to be read."""
    return train(config(seed=1), tmp_path_factory.mktemp("alone"), show=False)


@pytest.mark.slow
def test_a_seed_in_a_process_gives_the_numbers_it_gives_alone(alone, tmp_path, capsys):
    train_seeds(config(seed=1), 2, tmp_path, "processes")
    assert json.loads((tmp_path / "config.json").read_text())["seeds"] == [1, 2]
    assert_same(tmp_path / "seed-1", alone)
    assert rows(tmp_path / "seed-2") != rows(alone)
    noted = read_provenance(tmp_path / "seed-1")
    # The command is the one that was given, not that of the process.
    assert noted == {0: dataclasses.replace(Provenance.now(), cores=1, date=noted[0].date)}
    assert "480 of 480 steps" in capsys.readouterr().err
    # Each is a run that its own command continues.
    train(config(4 * CHUNK, seed=2), tmp_path / "seed-2", show=False)
    assert arrays(tmp_path / "seed-2")["training.iteration"] == 40


@pytest.mark.slow
def test_seeds_in_one_program_are_runs_of_their_own(alone, tmp_path):
    train_seeds(config(), 2, tmp_path, "vmap", show=False)
    mine, reference = rows(tmp_path / "seed-1"), rows(alone)
    assert [row.keys() for row in mine] == [row.keys() for row in reference]
    for row, expected in zip(mine, reference, strict=True):
        assert row == pytest.approx(expected, rel=1e-5)
    for name, array in arrays(tmp_path / "seed-1").items():
        np.testing.assert_allclose(array, arrays(alone)[name], rtol=1e-5, err_msg=name)
    # A seed that lags behind, here a new one, catches up with the others in their program.
    train_seeds(config(4 * CHUNK), 3, tmp_path, "vmap", show=False)
    assert [arrays(tmp_path / f"seed-{seed}")["training.iteration"] for seed in (0, 1, 2)] == [40, 40, 40]
    assert [row["iteration"] for row in rows(tmp_path / "seed-2")] == [10, 20, 30, 40]


@pytest.mark.slow
def test_a_seed_that_fails_is_named_and_the_others_go_on(tmp_path):
    train_seeds(config(CHUNK), 1, tmp_path, "vmap", show=False)
    (tmp_path / "seed-1").mkdir()
    (tmp_path / "seed-1" / "thesis.tex").write_text("precious")
    with pytest.raises(ScoutError, match=r"1 of 2 seeds failed\. seed 1: .* holds thesis\.tex") as error:
        train_seeds(config(2 * CHUNK), 2, tmp_path, "processes", show=False)
    assert "\n" not in str(error.value)
    assert rows(tmp_path / "seed-0")[-1]["env_steps"] == 2 * CHUNK


@pytest.mark.slow
def test_a_group_of_another_configuration_is_refused(tmp_path, alone):
    train_seeds(config(CHUNK), 2, tmp_path, "vmap", show=False)
    with pytest.raises(ScoutError, match=r"epsilon is 0\.3 there and 0\.5 here"):
        train_seeds(config(CHUNK, epsilon=0.5), 2, tmp_path, show=False)
    with pytest.raises(ScoutError, match="holds a group of seeds"):
        train(config(CHUNK), tmp_path, show=False)
    with pytest.raises(ScoutError, match="holds a run of one seed"):
        train_seeds(config(CHUNK), 2, alone, show=False)


def test_an_object_is_not_handed_to_other_processes(tmp_path):
    by_hand = dataclasses.replace(config(), by_hand=True)
    with pytest.raises(ScoutError, match="cannot be handed to other processes"):
        train_seeds(by_hand, 2, tmp_path / "group", "processes")
    assert not (tmp_path / "group").exists()
