"""All of a run that lives on the device, and the parts it is kept in on the disk."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, TrainState
from scoutrl.envs import MetaEnv
from scoutrl.runs.agent import AGENT, trained_agent
from scoutrl.runs.arrays import from_arrays, to_arrays
from scoutrl.runs.checkpoint import Parts

_REPLAY = ("learner.replay.", "learner.replay[")


class TrainingState(eqx.Module):
    """Where a run stands. Nothing else is needed to go on, so nothing else is carried from chunk to chunk."""

    learner: TrainState
    """The algorithm's own state: networks, optimisers, targets, replay, schedules."""
    key: PRNGKeyArray
    """The run's key. It never changes: iteration i draws from `fold_in(key, i)`."""
    iteration: Int[Array, ""]
    """Iterations done."""


def start(env: MetaEnv, algorithm: Algorithm, seed: Int[Array, ""]) -> TrainingState:
    """The progress of a run that has done nothing yet; may be jitted, and vmapped over seeds."""
    learner_key, key = jax.random.split(jax.random.key(seed))
    return strongly_typed(TrainingState(algorithm.init(env, learner_key), key, jnp.int32(0)))


def strongly_typed(progress: TrainingState) -> TrainingState:
    """The same with all types strong, so that a fresh, a continued and a restored progress are alike to a compiler."""

    def strong(leaf):
        if not eqx.is_array(leaf) or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(strong, progress)


def to_parts(env: MetaEnv, algorithm: Algorithm, progress: TrainingState) -> dict[str, dict[str, np.ndarray]]:
    """The parts of a checkpoint of `progress`: "agent", "replay" (the algorithm's field of that name), "training"."""
    arrays = to_arrays(progress)
    replay = {name: array for name, array in arrays.items() if name.startswith(_REPLAY)}
    training = {name: array for name, array in arrays.items() if name not in replay}
    agent = to_arrays(trained_agent(algorithm, env, progress.learner))
    return {AGENT: agent, "training": training, "replay": replay}


def from_parts(env: MetaEnv, algorithm: Algorithm, parts: Parts) -> TrainingState:
    """The progress that `to_parts` was given; the part "agent" is not needed.

    Raises:
        ScoutError: the arrays are not those of this algorithm on this family.
    """
    return from_arrays({**parts["training"], **parts["replay"]}, state_like(env, algorithm))


def state_like(env: MetaEnv, algorithm: Algorithm) -> TrainingState:
    """A `TrainingState` with shapes in place of arrays."""
    return eqx.filter_eval_shape(start, env, algorithm, jnp.int32(0))
