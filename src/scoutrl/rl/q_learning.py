"""Q-learning on one recurrent episode: pure functions of one trajectory, in time order."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.rl.learner import Weights


def q_lambda_targets(
    rewards: Float[Array, " time"],
    discounts: Float[Array, " time"],
    values: Float[Array, " time"],
    traces: Float[Array, " time"],
) -> Float[Array, " time"]:
    """Targets of Q(λ): look ahead along the trajectory, with Watkins' traces for as long as it stays greedy.

        y_t = r_t + γ_t [ l_t y_{t+1} + (1 - l_t) v_t ],    y_T = v_{T-1}

    Args:
        rewards: r_t, t = 0 … T-1.
        discounts: γ_t, 0 where step t ended the return.
        values: v_t, the value of the state after step t.
        traces: l_t in 0 … 1: λ where the next action took place and is followed (Watkins: it was greedy), 0 elsewhere.
    """

    def backward(later: Array, now: tuple[Array, ...]) -> tuple[Array, Array]:
        reward, discount, value, trace = now
        target = reward + discount * (trace * later + (1 - trace) * value)
        return target, target

    _, targets = jax.lax.scan(backward, values[-1], (rewards, discounts, values, traces), reverse=True)
    return targets


def q_loss(
    q: Float[Array, "batch time"],
    follow: Bool[Array, "batch time"],
    values: Float[Array, "batch time"],
    rewards: Float[Array, "batch time"],
    discounts: Float[Array, "batch time"],
    mask: Bool[Array, "batch time"],
    lambda_: float,
    weight: Weights = None,
) -> Float[Array, ""]:
    """Mean squared error of Q(s_t, a_t) to the targets of Q(λ), over the steps that took place.

    Args:
        q: Q(s_t, a_t) of the actions taken.
        follow: whether the target of step t-1 may follow a_t; Watkins: it was the best action by Q(s_t, ·).
        values: value of the state after each step.
        rewards: r_t.
        discounts: γ_t, 0 where step t ended the return.
        mask: steps that took place; they come first.
        lambda_: λ.
        weight: importance weights of the trajectories; None if they are all 1.
    """
    traces = lambda_ * jnp.pad((follow & mask)[:, 1:], ((0, 0), (0, 1)))
    targets = jax.vmap(q_lambda_targets)(rewards, discounts, values, traces)
    return masked_mean((q - jax.lax.stop_gradient(targets)) ** 2, mask, weight)


def masked_mean(
    x: Float[Array, "batch *shape"], mask: Bool[Array, "batch *shape"], weight: Weights = None
) -> Float[Array, ""]:
    """Mean over the places where `mask` is True, weighted if there are weights; 0 where there are none."""
    counted = mask if weight is None else mask * jnp.expand_dims(weight, range(1, mask.ndim))
    return (x * counted).sum() / jnp.maximum(counted.sum(), 1e-6)


def weighted_mean(x: Float[Array, " batch"], weight: Weights) -> Float[Array, ""]:
    """Mean over a batch, weighted if there are weights."""
    return masked_mean(x, jnp.ones(x.shape, bool), weight)
