"""Learning from fresh trials only: gradient steps that pass through all of them, again and again, in random order."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from scoutrl.algorithms.base import Metrics
from scoutrl.trees import scan

State = TypeVar("State")
Update = Callable[[State, Any, PRNGKeyArray], tuple[State, Metrics]]
"""One gradient step on a batch."""


def minibatch_epochs(
    update: Update, state: State, data: Any, updates: int, batch_size: int, key: PRNGKeyArray
) -> tuple[State, Metrics]:
    """Take `updates` gradient steps, each on `batch_size` rows of `data` (a pytree with the leading axis [rows]).

    An epoch has each row once: `batch_size` must divide the number of rows, and `updates * batch_size` be a multiple of
    it.

    Returns:
        The state after them, and the means of the metrics.
    """
    order_key, update_key = jax.random.split(key)
    count = len(jax.tree.leaves(data)[0])
    epochs = updates * batch_size // count
    orders = [jax.random.permutation(key, count) for key in jax.random.split(order_key, epochs)]
    rows = jnp.concatenate(orders).reshape(updates, batch_size)

    def step(state: State, now: tuple[Array, PRNGKeyArray]) -> tuple[State, Metrics]:
        rows, key = now
        return update(state, jax.tree.map(lambda x: x[rows], data), key)

    state, metrics = scan(step, state, (rows, jax.random.split(update_key, updates)))
    return state, jax.tree.map(jnp.mean, metrics)
