"""A pytree as named arrays for the disk, and back."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.errors import ScoutError


def to_arrays(tree: Any) -> dict[str, np.ndarray]:
    """Every array of `tree` under its path, such as `networks.out.weight`.

    Of random keys there are the raw numbers, and their name says which generator they are of: `key:key<scout>`.
    """
    return {name: np.asarray(_raw(leaf)) for name, leaf in _named(tree).items() if eqx.is_array(leaf)}


def from_arrays(arrays: Mapping[str, np.ndarray], like: Any) -> Any:
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


def _as(name: str, like: Any, arrays: Mapping[str, np.ndarray]) -> Any:
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
    if not is_key:
        return jnp.asarray(array)
    return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(jnp.empty((), like.dtype)))


def _named(tree: Any) -> dict[str, Any]:
    return {_name(path, leaf): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _name(path: Any, leaf: Any) -> str:
    name = jax.tree_util.keystr(path).lstrip(".")
    return f"{name}:{leaf.dtype}" if _is_key(leaf) else name


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _raw(leaf: Array) -> Array:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf
