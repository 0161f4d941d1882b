import errno
import json

import numpy as np
import pytest

from scoutrl.errors import ScoutError
from scoutrl.runs import checkpoint


def content(value: float) -> dict[str, np.ndarray]:
    return {
        "learner.net[0].weight": np.full((300, 7), value, np.float32),
        "learner.count": np.asarray(3, np.int32),
        "learner.seen": np.array([True, False]),
        "learner.small": np.arange(5, dtype=np.int8),
        "key": np.array([1, 2**32 - 1], np.uint32),
        "host.env_steps": np.asarray(2**40, np.int64),
        "learner.nothing": np.zeros((0, 4), np.float32),
    }


@pytest.fixture
def two(tmp_path):
    """A directory with the checkpoints 10 and 20."""
    checkpoint.save(tmp_path, 10, content(1.0))
    checkpoint.save(tmp_path, 20, content(2.0))
    return tmp_path


def value(directory) -> float:
    found = checkpoint.load(directory)
    assert found is not None
    return found["learner.net[0].weight"][0, 0]


def test_what_is_loaded_is_what_was_saved(two):
    found, saved = checkpoint.load(two), content(2.0)
    assert found is not None
    assert found.keys() == saved.keys() - {"learner.nothing"}  # it holds nothing
    for name, array in found.items():
        assert array.dtype == saved[name].dtype
        np.testing.assert_array_equal(array, saved[name])


def test_no_checkpoint_is_no_error(tmp_path):
    assert checkpoint.load(tmp_path / "nowhere") is None


def largest(newest):
    return max((file for file in newest.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)


def truncate(newest):
    largest(newest).write_bytes(largest(newest).read_bytes()[:-1])


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
    remove_file(newest)


def strip(newest):
    for file in newest.rglob("*"):
        if file.is_file():
            file.unlink()


@pytest.mark.parametrize(
    "damage", [truncate, flip, remove_file, remove_manifest, garble_manifest, empty_manifest, strip]
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
        checkpoint.load(two)


def test_a_save_replaces_damaged_ones_of_its_own_and_of_a_higher_number(two):
    flip(two / "0000000020")
    checkpoint.save(two, 15, content(1.5))
    assert sorted(path.name for path in two.iterdir()) == ["0000000010", "0000000015"]
    checkpoint.save(two, 15, content(1.6))
    assert value(two) == np.float32(1.6)


def test_only_the_last_few_are_kept(tmp_path):
    for number in range(checkpoint.KEEP + 2):
        checkpoint.save(tmp_path, number, content(number))
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [2, 3, 4]


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), ValueError("EXHAUSTED: No space left on device [x]")],
)
def test_a_full_disk_leaves_the_last_checkpoint_and_no_rubbish(two, error, monkeypatch):
    def refuse(path, arrays):
        path.mkdir()
        (path / "half").write_text("written")
        raise error

    class Refusing:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        save = staticmethod(refuse)

    monkeypatch.setattr(checkpoint, "_checkpointer", Refusing)
    with pytest.raises(ScoutError, match="disk is full"):
        checkpoint.save(two, 30, content(3.0))
    monkeypatch.undo()
    assert sorted(path.name for path in two.iterdir()) == ["0000000010", "0000000020"]
    assert value(two) == 2.0


def test_what_a_killed_save_left_behind_is_no_checkpoint_and_is_cleared(two):
    (two / "0000000030.tmp").mkdir()
    (two / "0000000030.tmp" / "half").write_text("written")
    assert value(two) == 2.0
    checkpoint.save(two, 40, content(4.0))
    assert not (two / "0000000030.tmp").exists()
