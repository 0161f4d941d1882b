"""Q-learning on one recurrent episode: pure functions of one trajectory, in time order."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def q_lambda_targets(
    rewards: Float[Array, " time"],
    discounts: Float[Array, " time"],
    values: Float[Array, " time"],
    traces: Float[Array, " time"],
) -> Float[Array, " time"]:
    """Targets of Watkins' Q(λ): look ahead along the trajectory for as long as it stays greedy.

        y_t = r_t + γ_t [ l_t y_{t+1} + (1 - l_t) v_t ],    y_T = v_{T-1}

    Args:
        rewards: r_t, t = 0 … T-1.
        discounts: γ_t, 0 where step t ended the return.
        values: v_t, the value of the state after step t.
        traces: l_t in 0 … 1: λ where the action taken after step t was greedy and was lived, 0 elsewhere.
    """

    def backward(later: Array, now: tuple[Array, ...]) -> tuple[Array, Array]:
        reward, discount, value, trace = now
        target = reward + discount * (trace * later + (1 - trace) * value)
        return target, target

    _, targets = jax.lax.scan(backward, values[-1], (rewards, discounts, values, traces), reverse=True)
    return targets


def chosen(q: Float[Array, "*batch actions"], actions: Int[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Q(s, a) of the actions taken, as a product with one-hots: its gradient is no scatter."""
    return (q * jax.nn.one_hot(actions, q.shape[-1])).sum(axis=-1)


def greedy_value(q: Float[Array, "*batch actions"], judge: Float[Array, "*batch actions"]) -> Float[Array, "*batch"]:
    """The value, by `judge`, of the action that is best by `q`: double Q-learning, or ordinary where both are one."""
    return chosen(judge, q.argmax(axis=-1))


def q_loss(
    q: Float[Array, "batch time actions"],
    values: Float[Array, "batch time"],
    rewards: Float[Array, "batch time"],
    discounts: Float[Array, "batch time"],
    actions: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"],
    trace: float,
) -> Float[Array, ""]:
    """Mean squared error of Q(s_t, a_t) to the targets of Watkins' Q(λ), over the steps lived.

    Args:
        q: action values before each step.
        values: value of the state after each step.
        rewards: r_t.
        discounts: γ_t, 0 where step t ended the return.
        actions: a_t.
        mask: steps lived; they come first.
        trace: λ.
    """
    greedy = (q.argmax(axis=-1) == actions) & mask
    traces = trace * jnp.pad(greedy[:, 1:], ((0, 0), (0, 1)))
    targets = jax.vmap(q_lambda_targets)(rewards, discounts, values, traces)
    return masked_mean((chosen(q, actions) - jax.lax.stop_gradient(targets)) ** 2, mask)


def epsilon_greedy(
    q: Float[Array, " actions"], epsilon: Float[Array, ""], key: Array, weights: tuple[float, ...] = ()
) -> Int[Array, ""]:
    """The best action, or with probability `epsilon` a random one: drawn by `weights`, uniformly if there are none."""
    dice, draw = jax.random.split(key)
    if weights:
        random = jax.random.categorical(draw, jnp.log(jnp.asarray(weights)))
    else:
        random = jax.random.randint(draw, (), 0, q.shape[-1])
    return jnp.where(jax.random.uniform(dice) < epsilon, random, q.argmax())


def masked_mean(x: Float[Array, "*shape"], mask: Bool[Array, "*shape"]) -> Float[Array, ""]:
    """Mean over the places where `mask` is True; 0 where there are none."""
    return (x * mask).sum() / jnp.maximum(mask.sum(), 1)
