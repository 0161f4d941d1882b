"""All of a run that lives on the device, and the same as named arrays for the disk."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, AlgorithmState
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError


class TrainingState(eqx.Module):
    """Where a run stands. Nothing else is needed to go on, so nothing else is carried from chunk to chunk."""

    algorithm: AlgorithmState
    """The algorithm's own state."""
    key: PRNGKeyArray
    """The run's key. It never changes: iteration i draws from `fold_in(key, i)`."""
    iteration: Int[Array, ""]
    """Iterations done."""


def start(spec: Spec, algorithm: Algorithm, seed: int) -> TrainingState:
    """The state of a run that has done nothing yet. Networks are drawn on the host."""
    # Fresh targets are the networks themselves, but a chunk uses up what it is given: each needs memory of its own.
    state = jax.tree.map(_copy, _without_replay(spec, algorithm, seed))
    replay = jax.jit(lambda: algorithm.replay(spec))()
    return strongly_typed(eqx.tree_at(lambda s: s.algorithm.replay, state, replay, is_leaf=lambda leaf: leaf is None))


def shapes(spec: Spec, algorithm: Algorithm) -> TrainingState:
    """As `start`, with shapes and types in place of arrays: no replay takes any memory."""
    state = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if eqx.is_array(leaf) else leaf,
        _without_replay(spec, algorithm, 0),
    )
    replay = jax.eval_shape(lambda: algorithm.replay(spec))
    return eqx.tree_at(lambda s: s.algorithm.replay, state, replay, is_leaf=lambda leaf: leaf is None)


def _without_replay(spec: Spec, algorithm: Algorithm, seed: int) -> TrainingState:
    init_key, key = jax.random.split(jax.random.key(seed))
    return TrainingState(algorithm.init(spec, init_key), key, jnp.int32(0))


def _copy(leaf: Any) -> Any:
    if not eqx.is_array(leaf) or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    return jnp.asarray(np.array(leaf))


def strongly_typed(state: TrainingState) -> TrainingState:
    """The same with all types strong, so that a fresh, a continued and a restored state are alike to a compiler."""

    def strong(leaf):
        if not eqx.is_array(leaf) or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(strong, state)


def to_arrays(progress: TrainingState) -> dict[str, np.ndarray]:
    """Every array of `progress` under its path; of random keys the raw numbers."""
    return {name: np.asarray(_raw(leaf)) for name, leaf in _named(progress).items() if eqx.is_array(leaf)}


def from_arrays(arrays: Mapping[str, np.ndarray], env: Spec, algorithm: Algorithm) -> TrainingState:
    """The progress that `to_arrays` was given.

    Raises:
        ScoutError: the arrays are not those of this algorithm on this family.
    """
    like = shapes(env, algorithm)
    found = {name: _as(name, leaf, arrays) for name, leaf in _named(like).items()}
    return jax.tree.unflatten(jax.tree.structure(like), list(found.values()))


def _as(name: str, like: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The leaf called `name`: taken from `arrays` where `like` describes an array, else `like` itself."""
    if not isinstance(like, jax.ShapeDtypeStruct):
        return like
    is_key = jnp.issubdtype(like.dtype, jax.dtypes.prng_key)
    expected = jax.eval_shape(jax.random.key_data, like) if is_key else like
    array = arrays.get(name, np.zeros(expected.shape, expected.dtype) if 0 in expected.shape else None)
    if array is None or array.shape != expected.shape or array.dtype != expected.dtype:
        raise ScoutError(
            f"the checkpoint does not fit this version of the algorithm or family: {name} is missing or of another "
            "shape; continue with the version that wrote it, or train anew in another directory."
        )
    return jax.random.wrap_key_data(jnp.asarray(array)) if is_key else jnp.asarray(array)


def _named(tree: Any) -> dict[str, Any]:
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _raw(leaf: Array) -> Array:
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
