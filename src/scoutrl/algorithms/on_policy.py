"""Learning from fresh trials only: gradient steps that pass through all of them, again and again, in random order."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import Metrics
from scoutrl.algorithms.off_policy import Learner, Networks, Replaying

Data = TypeVar("Data")
"""A pytree of arrays with the leading axis [trials]."""


def passes(
    algorithm: Replaying,
    loss: Callable[[Networks, Data, PRNGKeyArray], tuple[Float[Array, ""], Metrics]],
    state: Learner,
    data: Data,
    key: PRNGKeyArray,
) -> tuple[Learner, Metrics]:
    """Take `algorithm.updates` gradient steps, each on `algorithm.batch` of the data.

    A pass sees each trial once: `updates * batch` must be a multiple of `trials`, and `batch` divide it.
    """
    order_key, loss_key = jax.random.split(key)
    rounds = algorithm.updates * algorithm.batch // algorithm.trials
    orders = [jax.random.permutation(key, algorithm.trials) for key in jax.random.split(order_key, rounds)]
    rows = jnp.concatenate(orders).reshape(algorithm.updates, algorithm.batch)

    def update(state: Learner, now: tuple[Array, PRNGKeyArray]) -> tuple[Learner, Metrics]:
        rows, key = now
        batch = jax.tree.map(lambda x: x[rows], data)
        gradient, metrics = jax.grad(loss, has_aux=True)(state.nets, batch, key)
        return algorithm.step(state, gradient, metrics), metrics

    state, metrics = jax.lax.scan(update, state, (rows, jax.random.split(loss_key, algorithm.updates)))
    return state, jax.tree.map(jnp.mean, metrics)
