"""A pytree as named arrays for the disk, and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.errors import ScoutError
from scoutrl.runs.tensors import LARGE, StoredArray


class SplitArray:
    """A large array that is split over devices by its first axis: fetched part by part in `pieces`."""

    def __init__(self, array: Array):
        """Of an array of JAX's."""
        self._array, self.dtype, self.shape, self.nbytes = array, np.dtype(array.dtype), array.shape, array.nbytes

    def pieces(self) -> Iterator[tuple[int, np.ndarray]]:
        """The parts in order, each with the number of its first row."""
        parts = {shard.index[0].start or 0: shard.data for shard in self._array.addressable_shards}
        for first in sorted(parts):
            yield first, np.asarray(parts[first])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        """All of it in one."""
        del copy
        return np.asarray(self._array, dtype)


def to_arrays(tree: Any) -> dict[str, Any]:
    """Every array of `tree` under its path, such as `networks.out.weight`: of NumPy, or a `SplitArray`.

    Of random keys there are the raw numbers, and their name says which generator they are of: `key:key<scout>`.
    """
    return {name: _on_host(_raw(leaf)) for name, leaf in _named(tree).items() if eqx.is_array(leaf)}


def from_arrays(arrays: Mapping[str, np.ndarray | StoredArray], like: Any) -> Any:
    """The tree that `to_arrays` was given.

    Args:
        arrays: name to array; may hold more than what is needed.
        like: the tree with shapes (`jax.ShapeDtypeStruct`) for arrays; what else is in it is taken over.

    Raises:
        ScoutError: an array of `like` is missing, or of another shape or type.
    """
    found = [_as(name, leaf, arrays) for name, leaf in _named(like).items()]
    return jax.tree.unflatten(jax.tree.structure(like), found)


def shapes_of(tree: Any) -> Any:
    """`tree` with `jax.ShapeDtypeStruct` in place of arrays."""
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if eqx.is_array(leaf) else leaf, tree)


def _as(name: str, like: Any, arrays: Mapping[str, np.ndarray | StoredArray]) -> Any:
    """The leaf called `name`: taken from `arrays` where `like` describes an array, else `like` itself."""
    if not isinstance(like, jax.ShapeDtypeStruct):
        return like
    is_key = _is_key(like)
    expected = jax.eval_shape(jax.random.key_data, like) if is_key else like
    array = arrays.get(name)
    if array is None or array.shape != expected.shape or array.dtype != expected.dtype:
        raise ScoutError(
            f"what was saved does not fit this version of the algorithm or family: {name} is missing or of another "
            "shape; continue with the version that wrote it, or train anew in another directory."
        )
    if isinstance(array, StoredArray):
        return _in_pieces(array)
    if not is_key:
        return jnp.asarray(array)
    return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(jnp.empty((), like.dtype)))


def _in_pieces(stored: StoredArray) -> Array:
    """The array on the device, without a second one of its size in memory."""

    def filled(array: Array, piece: Array, first: Array) -> Array:
        return jax.lax.dynamic_update_slice_in_dim(array, piece, first, axis=0)

    fill = jax.jit(filled, donate_argnums=0)
    array = jnp.zeros(stored.shape, stored.dtype)
    for first, piece in stored.pieces():
        # One at a time: what has not been copied yet is in memory twice.
        array = jax.block_until_ready(fill(array, piece, first))
    return array


def _named(tree: Any) -> dict[str, Any]:
    return {_name(path, leaf): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _name(path: Any, leaf: Any) -> str:
    name = jax.tree_util.keystr(path).lstrip(".")
    return f"{name}:{leaf.dtype}" if _is_key(leaf) else name


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _on_host(array: Array) -> np.ndarray | SplitArray:
    if array.nbytes <= LARGE or not isinstance(array, jax.Array) or array.is_fully_replicated:
        return np.asarray(array)
    parts = {shard.data.shape[1:] for shard in array.addressable_shards}
    return SplitArray(array) if parts == {array.shape[1:]} else np.asarray(array)


def _raw(leaf: Array) -> Array:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf
