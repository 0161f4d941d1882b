"""VariBAD: a very good method for Bayes-adaptive deep RL via meta-learning (Zintgraf et al. 2020).

Two parts:

    q_φ(m | τ_:t) = N(mean, variance)     what is believed of the problem after t steps     (posterior, recurrent)
    π(a | s, g, mean, log-variance)       one policy for the trial, which sees the belief   (policy)

The posterior learns, together with decoders p(r_i | s_i, a_i, s_{i+1}, m) and p(s_{i+1} | s_i, a_i, m) that are used in
training only, by maximising for every t

    ELBO_t = E_{m ~ q_φ(·|τ_:t)} [ Σ_i log p(r_i | …, m) + log p(s_{i+1} | …, m) ] - β KL( q_φ(·|τ_:t) ‖ q_φ(·|τ_:t-1) )

over all steps i of the trial, past and future, with N(0, I) for what was believed before anything. The policy learns by
its return; by default its gradient does not reach φ. The problem ID is not used at all.
"""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd
from scoutrl.algorithms.recurrent.networks import Actor, Belief
from scoutrl.algorithms.recurrent.unroll import Beliefs, Unrolled
from scoutrl.envs import Problem, Spec
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.prediction import Decoder, log_likelihood, predictable
from scoutrl.ranges import check_ranges
from scoutrl.rl.q_learning import masked_mean, weighted_mean
from scoutrl.trials.sequences import Transitions
from scoutrl.trials.trial import Trial


@final
class Posterior(Belief):
    """q_φ: the belief is mean and log-variance of m, side by side."""

    size: int = eqx.field(static=True)
    out: Linear

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch size"]:
        """Mean and log-variance given a memory of τ."""
        mean, log_variance = jnp.split(self.out(hidden), 2, axis=-1)
        return jnp.concatenate([mean, jnp.clip(log_variance, -8.0, 4.0)], axis=-1)


@final
class VaribadNetworks(eqx.Module):
    """All that is learnt."""

    actor: Actor
    """q_φ and the policy."""
    rewards: Decoder
    """p(r | s, a, s', m), normal of variance 1."""
    states: Decoder | None
    """p(s' | s, a, m); None for images."""


@final
class Varibad(EndToEnd):
    """VariBAD, for the return of the exploitation episodes."""

    latent: int = 8
    """Length of m."""
    kl_weight: float = 0.1
    """β, weight of the KL divergence from one belief to the next."""
    reward_weight: float = 1.0
    """Weight of the log-likelihood of rewards."""
    state_weight: float = 1.0
    """Weight of the log-likelihood of next observations; images are not predicted."""
    elbo_weight: float = 0.1
    """Weight of the ELBO, in nats per step of the trial, beside the policy's loss."""
    elbo_terms: int = 4
    """Of all t, as many as this are drawn for each trial to predict from."""
    policy_gradient: bool = False
    """Let the policy's loss train φ too."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        weights = "kl_weight reward_weight state_weight elbo_weight"
        check_ranges(self, positive="latent elbo_terms", not_negative=weights)

    def networks(self, spec: Spec, rng: Rng) -> VaribadNetworks:
        """q_φ and the policy; the decoders."""
        belief = Posterior(2 * self.latent, Linear(self.memory_size, 2 * self.latent, rng, gain=1.0))
        actor = self.build_actor(spec, belief, rng)
        encode = actor.encode
        observation = encode.observation.size
        known = encode.seen + encode.goal_size + 2 + encode.action.size
        rewards = Decoder(self.latent, known + observation, self.width, 1, rng)
        seen = predictable(encode.observation)
        return VaribadNetworks(
            actor, rewards, Decoder(self.latent, known, self.width, observation, rng) if seen else None
        )

    def beliefs(self, networks: VaribadNetworks, unrolled: Unrolled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """Mean and log-variance of q_φ(m | τ_:t), which learn by the ELBO."""
        belief, moved = networks.actor.belief(unrolled.hidden), unrolled.transitions
        kl = masked_mean(kl_from_previous(belief), moved.prefixes, batch.weight)
        likelihood = weighted_mean(self.log_likelihood(networks, belief, unrolled, key), batch.weight)
        elbo = likelihood - self.kl_weight * kl
        metrics = {"elbo": elbo, "log_likelihood": likelihood, "kl": kl}
        given = belief if self.policy_gradient else jax.lax.stop_gradient(belief)
        return Beliefs(given, -self.elbo_weight * elbo / moved.mask.shape[1], metrics)

    def log_likelihood(
        self,
        networks: VaribadNetworks,
        belief: Float[Array, "batch time+1 belief"],
        unrolled: Unrolled,
        key: PRNGKeyArray,
    ) -> Float[Array, " batch"]:
        """E_t E_{m ~ q_φ(·|τ_:t)} Σ_i log p(r_i, s_{i+1} | s_i, a_i, m), in nats per trial; t is drawn evenly."""
        prefix_key, noise = jax.random.split(key)
        moved, features = unrolled.transitions, unrolled.features
        mean, log_variance = jnp.split(sample_prefixes(belief, moved, self.elbo_terms, prefix_key), 2, axis=-1)
        m = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(noise, mean.shape)
        known = jnp.concatenate([features.before, features.action], axis=-1)
        encoder = networks.actor.encode.observation
        after = jax.lax.stop_gradient(moved.after[..., : encoder.size])
        predicted = networks.rewards(m, jnp.concatenate([known, after], axis=-1))[..., 0]
        total = -0.5 * self.reward_weight * (predicted - moved.rewards[:, None]) ** 2
        if networks.states is not None:
            total += self.state_weight * log_likelihood(encoder, networks.states(m, known), after[:, None])
        return (total * moved.mask[:, None]).sum(axis=-1).mean(axis=-1)

    def privileged(self, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> None:
        """None: no part of VariBAD ever has a problem ID."""


def kl_from_previous(belief: Float[Array, "batch time+1 belief"]) -> Float[Array, "batch time+1"]:
    """KL( q(m|τ_:t) ‖ q(m|τ_:t-1) ) for every t, in nats; N(0, I) comes before the first."""
    before = jnp.pad(belief[:, :-1], ((0, 0), (1, 0), (0, 0)))
    (mean, log_variance), (mean_0, log_variance_0) = jnp.split(belief, 2, axis=-1), jnp.split(before, 2, axis=-1)
    ratio = jnp.exp(log_variance - log_variance_0)
    distance = (mean - mean_0) ** 2 * jnp.exp(-log_variance_0)
    return 0.5 * (ratio + distance - 1 - log_variance + log_variance_0).sum(axis=-1)


def sample_prefixes(
    x: Float[Array, "batch time+1 size"], moved: Transitions, count: int, key: PRNGKeyArray
) -> Float[Array, "batch count size"]:
    """`x` on prefixes drawn evenly from those there are; by products with one-hots, whose gradient is fast."""
    steps = moved.mask.sum(axis=1, keepdims=True)
    prefixes = jax.random.randint(key, (len(x), count), 0, steps + 1)
    return jnp.einsum("bct,bts->bcs", jax.nn.one_hot(prefixes, x.shape[1]), x)
