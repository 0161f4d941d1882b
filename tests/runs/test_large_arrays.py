"""What is large is saved and loaded piece by piece: neither takes the memory of a second one."""

import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from scoutrl.runs import arrays as arrays_module
from scoutrl.runs import checkpoint, tensors
from scoutrl.runs.arrays import SplitArray, from_arrays, shapes_of, to_arrays
from scoutrl.runs.tensors import StoredArray

ROWS, ROW = 64, 1_250_000  # 320 MB
SIZE = 4 * ROWS * ROW
A, B = "['a']", "['b']"


def resident() -> int:
    """Bytes of memory that this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


class Growth:
    """The most that memory grew by within the block."""

    def __enter__(self) -> "Growth":
        self._before = self._most = resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.is_set():
            self._most = max(self._most, resident())
            time.sleep(0.001)

    @property
    def bytes(self) -> int:
        return self._most - self._before


def large(split: bool) -> dict:
    where = NamedSharding(jax.make_mesh((2,), ("x",)), PartitionSpec("x")) if split else None
    make = lambda: jnp.arange(ROWS * ROW, dtype=jnp.uint32).reshape(ROWS, ROW)  # noqa: E731
    return {"words": jax.block_until_ready(jax.jit(make, out_shardings=where)()), "few": jnp.arange(3.0)}


@pytest.mark.slow
@pytest.mark.parametrize("split", [False, True], ids=["whole", "split"])
def test_saving_and_loading_what_is_large_takes_little_more_memory(split, tmp_path, monkeypatch):
    monkeypatch.setattr(tensors, "LARGE", SIZE // 16)
    monkeypatch.setattr(arrays_module, "LARGE", SIZE // 16)
    tree = large(split)
    with Growth() as growth:
        checkpoint.save(tmp_path / "c", 1, {"replay": to_arrays(tree)}, {}, {})
    assert growth.bytes < SIZE // 4
    like = shapes_of(tree)
    tree["words"].delete()
    with Growth() as growth:
        saved = checkpoint.load(tmp_path / "c", {}, ["replay"])
        assert saved is not None
        back = jax.block_until_ready(from_arrays(saved.parts["replay"], like))
    assert SIZE <= growth.bytes < SIZE + SIZE // 2
    ends = np.asarray(back["words"][:, -1])
    assert ends.tolist() == [(i + 1) * ROW - 1 for i in range(ROWS)]
    assert back["few"].tolist() == [0, 1, 2]


def test_arrays_in_pieces_are_the_same_file(tmp_path, monkeypatch):
    for module in (tensors, arrays_module):
        monkeypatch.setattr(module, "LARGE", 100)
    where = NamedSharding(jax.make_mesh((2,), ("x",)), PartitionSpec("x"))
    values = np.arange(480, dtype=np.int16).reshape(4, 40, 3)
    given = to_arrays({"a": jax.device_put(values, where), "b": jnp.ones(2)})
    assert isinstance(given[A], SplitArray)
    np.testing.assert_array_equal(np.asarray(given[A]), values)
    whole = tensors.write_tensors(tmp_path / "whole", {A: values, B: np.ones(2, np.float32)})
    assert tensors.write_tensors(tmp_path / "pieces", given) == whole
    back = tensors.read_tensors(tmp_path / "pieces")
    assert isinstance(back[A], StoredArray)
    np.testing.assert_array_equal(np.asarray(back[A]), values)
    np.testing.assert_array_equal(np.concatenate([piece for _, piece in back[A].pieces()]), values)
    assert len(list(back[A].pieces())) == 4
    like = {"a": jax.ShapeDtypeStruct(values.shape, jnp.int16), "b": jax.ShapeDtypeStruct((2,), jnp.float32)}
    np.testing.assert_array_equal(from_arrays(back, like)["a"], values)
