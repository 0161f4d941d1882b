"""All of a run that lives on the device, and the same as the parts of a checkpoint."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from scoutrl import prng
from scoutrl.algorithms.base import Algorithm, AlgorithmState
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.runs.agent import AGENT, trained_agent
from scoutrl.runs.arrays import from_arrays, shapes_of, to_arrays
from scoutrl.runs.checkpoint import Parts

_REPLAY = ("algorithm.replay.", "algorithm.replay[")


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
    return strongly_typed(_with_replay(state, jax.jit(lambda: algorithm.replay(spec))()))


def state_like(spec: Spec, algorithm: Algorithm) -> TrainingState:
    """As `start`, with shapes and types in place of arrays: no replay takes any memory."""
    state = shapes_of(_without_replay(spec, algorithm, 0))
    return _with_replay(state, jax.eval_shape(lambda: algorithm.replay(spec)))


def strongly_typed(state: TrainingState) -> TrainingState:
    """The same with all types strong, so that a fresh, a continued and a restored state are alike to a compiler."""

    def strong(leaf: Any) -> Any:
        if not eqx.is_array(leaf) or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(strong, state)


def to_parts(spec: Spec, algorithm: Algorithm, state: TrainingState) -> dict[str, dict[str, np.ndarray]]:
    """The parts of a checkpoint of `state`: "agent", "replay" (the algorithm's field of that name), "training"."""
    arrays = to_arrays(state)
    replay = {name: array for name, array in arrays.items() if name.startswith(_REPLAY)}
    training = {name: array for name, array in arrays.items() if name not in replay}
    agent = to_arrays(trained_agent(algorithm, spec, state.algorithm))
    return {AGENT: agent, "training": training, "replay": replay}


def from_parts(spec: Spec, algorithm: Algorithm, parts: Parts) -> TrainingState:
    """The state that `to_parts` was given; the part "agent" is not needed.

    Raises:
        ScoutError: the arrays are not those of this algorithm on this family.
    """
    return from_arrays({**parts["training"], **parts["replay"]}, state_like(spec, algorithm))


def arrays_of(state: TrainingState) -> TrainingState:
    """`state` without what is no array, such as activation functions."""
    return eqx.filter(state, eqx.is_array)


def join(trees: Sequence[TrainingState]) -> TrainingState:
    """Several seeds' states with a leading axis of seeds; a single one as it is."""
    return trees[0] if len(trees) == 1 else jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def finite(state: TrainingState) -> np.ndarray:
    """As `training.iteration.finite`, computed by the host."""
    floats = jax.tree.leaves(eqx.filter(state, eqx.is_inexact_array))
    return np.array([np.isfinite(np.asarray(leaf)).all() for leaf in floats], bool)


def _without_replay(spec: Spec, algorithm: Algorithm, seed: int) -> TrainingState:
    init_key, key = jax.random.split(prng.key(seed))
    state = algorithm.init(spec, init_key)
    if not isinstance(state, AlgorithmState):
        raise ScoutError(
            f"{type(algorithm).__name__}.init returned a {type(state).__name__}; it must return an AlgorithmState."
        )
    return TrainingState(state, key, jnp.int32(0))


def _with_replay(state: TrainingState, replay: Any) -> TrainingState:
    return eqx.tree_at(lambda s: s.algorithm.replay, state, replay, is_leaf=lambda leaf: leaf is None)


def _copy(leaf: Any) -> Any:
    if not eqx.is_array(leaf) or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    return jnp.asarray(np.array(leaf))
