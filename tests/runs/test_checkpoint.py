import errno
import json
import os
import tracemalloc

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors

from scoutrl.errors import ScoutError
from scoutrl.runs import checkpoint
from scoutrl.runs.tensors import write_tensors

MINE = {"family": "lever", "seed": 0, "settings": {"rate": 0.1, "sizes": (1, 2)}}
PARTS = ("agent", "training", "replay")


def content(value: float) -> dict[str, dict[str, np.ndarray]]:
    return {
        "agent": {"net[0].weight": np.full((300, 7), value, np.float32)},
        "training": {
            "learner.count": np.asarray(3, np.int32),
            "learner.seen": np.array([True, False]),
            "learner.turned": np.arange(6, dtype=np.int8).reshape(2, 3).T,
            "learner.half": np.asarray(jnp.arange(3, dtype=jnp.bfloat16)),
            "key": np.array([1, 2**32 - 1], np.uint32),
            "learner.nothing": np.zeros((0, 4), np.float32),
        },
        "replay": {},
    }


def save(directory, number: int, value: float, identity=MINE) -> None:
    counters = {"iteration": number, "env_steps": 2**40, "seconds": 0.1}
    checkpoint.save(directory, number, content(value), identity, counters)


@pytest.fixture
def two(tmp_path):
    """A directory with the checkpoints 10 and 20."""
    save(tmp_path, 10, 1.0)
    save(tmp_path, 20, 2.0)
    return tmp_path


def load(directory, parts=PARTS):
    found = checkpoint.load(directory, MINE, parts)
    assert found is not None
    return found


def value(directory) -> float:
    return load(directory).parts["agent"]["net[0].weight"][0, 0]


def test_what_is_loaded_is_what_was_saved(two):
    found, saved = load(two), content(2.0)
    assert found.counters == {"iteration": 20, "env_steps": 2**40, "seconds": 0.1}
    assert found.identity == {"family": "lever", "seed": 0, "settings": {"rate": 0.1, "sizes": [1, 2]}}
    assert found.parts.keys() == saved.keys()
    for part, arrays in saved.items():
        assert found.parts[part].keys() == arrays.keys()
        for name, array in found.parts[part].items():
            assert array.dtype == arrays[name].dtype
            np.testing.assert_array_equal(array, arrays[name])


def test_any_reader_of_safetensors_can_read_it(two):
    file = two / "0000000020" / "training.safetensors"
    with safetensors.safe_open(file, "np") as whole:
        assert whole.get_tensor("key").tolist() == [1, 2**32 - 1]
    assert file.stat().st_mode & 0o044 == 0o044 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_part_is_read_without_the_others(two):
    newest = two / "0000000020"
    (newest / "replay.safetensors").unlink()
    truncate_file(newest / "training.safetensors")
    assert load(two, ["agent"]).parts.keys() == {"agent"}
    (newest / "agent.safetensors").unlink()
    assert load(two, []).counters["iteration"] == 20
    assert load(two, ["training"]).counters["iteration"] == 10


def test_another_runs_checkpoint_is_refused_with_what_differs(two):
    save(two, 30, 3.0, MINE | {"seed": 1, "settings": {"rate": 0.2, "sizes": [1, 2]}})
    with pytest.raises(
        ScoutError, match=r"another run: seed is 1 there and 0 here, rate is 0\.2 there and 0\.1"
    ) as error:
        load(two)
    assert "\n" not in str(error.value)
    assert checkpoint.load(two, None, PARTS) is not None


def test_one_of_another_version_is_refused_with_the_version_to_use(two):
    manifest = two / "0000000020" / "manifest.json"
    manifest.write_text(json.dumps({"sha256": {"array": "0" * 64}}))
    with pytest.raises(ScoutError, match=r"scout 0\.1.*scoutrl==0\.1\.0"):
        load(two)
    manifest.write_text(json.dumps({"format": 3, "sha256": {"agent.safetensors": "0" * 64}}))
    with pytest.raises(ScoutError, match=r"newer version"):
        load(two)


def test_a_name_with_brackets_is_a_name(tmp_path):
    save(tmp_path / "run [v2] *", 10, 1.0)
    assert value(tmp_path / "run [v2] *") == 1.0


def test_saving_takes_no_second_copy_of_large_arrays(tmp_path):
    large = {"replay": {"frames": np.zeros(50_000_000, np.uint8)}}
    tracemalloc.start()
    try:
        checkpoint.save(tmp_path, 1, large, MINE, {})
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_no_checkpoint_is_no_error(tmp_path):
    assert checkpoint.load(tmp_path / "nowhere", MINE, PARTS) is None


def largest(newest):
    return max((file for file in newest.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)


def truncate(newest):
    truncate_file(largest(newest))


def truncate_file(file):
    file.write_bytes(file.read_bytes()[:-1])


def flip(newest):
    data = bytearray(largest(newest).read_bytes())
    data[len(data) // 2] ^= 1
    largest(newest).write_bytes(data)


def remove_file(newest):
    largest(newest).unlink()


def remove_manifest(newest):
    (newest / "manifest.json").unlink()


def garble_manifest(newest):
    (newest / "manifest.json").write_text("{")


def empty_manifest(newest):
    (newest / "manifest.json").write_text(json.dumps({"sha256": {}}))


def edit_manifest(newest):
    text = (newest / "manifest.json").read_text()
    (newest / "manifest.json").write_text(text.replace('"iteration": 20', '"iteration": 21'))


def strip(newest):
    for file in newest.rglob("*"):
        if file.is_file():
            file.unlink()


@pytest.mark.parametrize(
    "damage", [truncate, flip, remove_file, remove_manifest, garble_manifest, empty_manifest, edit_manifest, strip]
)
def test_a_damaged_newest_checkpoint_is_passed_over_and_said_to_be(two, damage, capsys):
    damage(two / "0000000020")
    assert value(two) == 1.0
    said = capsys.readouterr().err
    assert "0000000020 is damaged" in said
    assert said.count("\n") == 1


def test_when_all_are_damaged_nothing_is_made_up(two):
    flip(two / "0000000010")
    truncate(two / "0000000020")
    with pytest.raises(ScoutError, match=r"all checkpoints .* are damaged"):
        load(two)


def test_a_save_replaces_damaged_ones_of_its_own_and_of_a_higher_number(two):
    flip(two / "0000000020")
    save(two, 15, 1.5)
    assert sorted(path.name for path in two.iterdir()) == ["0000000010", "0000000015"]
    save(two, 15, 1.6)
    assert value(two) == np.float32(1.6)


def test_only_the_last_few_are_kept(tmp_path):
    for number in range(checkpoint.KEEP + 2):
        save(tmp_path, number, number)
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [2, 3, 4]


def test_a_full_disk_leaves_the_last_checkpoint_and_no_rubbish(two, monkeypatch):
    def refuse(path, arrays):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_tensors", refuse)
    with pytest.raises(ScoutError, match="disk is full"):
        save(two, 30, 3.0)
    monkeypatch.undo()
    assert sorted(path.name for path in two.iterdir()) == ["0000000010", "0000000020"]
    assert value(two) == 2.0


def test_what_cannot_be_read_back_drops_no_older_one(two, monkeypatch):
    def forgetful(path, arrays):
        checksum = write_tensors(path, arrays)
        truncate_file(path)
        return checksum

    monkeypatch.setattr(checkpoint, "write_tensors", forgetful)
    monkeypatch.setattr(checkpoint, "KEEP", 1)
    with pytest.raises(ScoutError, match="could not be written"):
        save(two, 30, 3.0)
    assert sorted(path.name for path in two.iterdir()) == ["0000000010", "0000000020"]


def test_what_a_killed_save_left_behind_is_no_checkpoint_and_is_cleared(two):
    (two / "0000000030.tmp").mkdir()
    (two / "0000000030.tmp" / "half").write_text("written")
    assert value(two) == 2.0
    save(two, 40, 4.0)
    assert not (two / "0000000030.tmp").exists()
