"""Proximal policy optimisation (Schulman et al. 2017): pure functions of one trajectory, in time order."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.rl.q_learning import masked_mean


def advantages(
    rewards: Float[Array, " time"],
    discounts: Float[Array, " time"],
    values: Float[Array, " time+1"],
    lambda_: float,
) -> Float[Array, " time"]:
    """Generalised advantage estimation (Schulman et al. 2016, equation 16).

        A_t = δ_t + γ_t λ A_{t+1},    δ_t = r_t + γ_t V_{t+1} - V_t

    Args:
        rewards: r_t, t = 0 … T-1.
        discounts: γ_t, 0 where step t ended the return.
        values: V_t, t = 0 … T: the value of the state before step t, and after the last.
        lambda_: λ, from 0 to 1.
    """
    errors = rewards + discounts * values[1:] - values[:-1]

    def backward(later: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        error, discount = now
        advantage = error + discount * lambda_ * later
        return advantage, advantage

    _, found = jax.lax.scan(backward, jnp.zeros_like(errors[0]), (errors, discounts), reverse=True)
    return found


def clipped_loss(
    log_probabilities: Float[Array, "*shape"],
    before: Float[Array, "*shape"],
    advantage: Float[Array, "*shape"],
    mask: Bool[Array, "*shape"],
    clip: float,
) -> Float[Array, ""]:
    """The clipped surrogate objective, negated: mean of -min(ρ A, clip(ρ, 1 - ε, 1 + ε) A) over the steps.

    Args:
        log_probabilities: of the actions taken, by the policy of now.
        before: the same by the policy that took them; ρ is the ratio of the two probabilities.
        advantage: A.
        mask: steps that took place.
        clip: ε, above 0.
    """
    ratio = jnp.exp(log_probabilities - before)
    bounded = jnp.clip(ratio, 1 - clip, 1 + clip)
    return masked_mean(-jnp.minimum(ratio * advantage, bounded * advantage), mask)


def normalise(x: Float[Array, "*shape"], mask: Bool[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`x` with mean 0 and standard deviation 1 over the places where `mask` is True; 0 elsewhere."""
    centred = (x - masked_mean(x, mask)) * mask
    return centred / (jnp.sqrt(masked_mean(centred**2, mask)) + 1e-6)
