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

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.off_policy import Learner
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.algorithms.recurrent.agent import Told
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd
from scoutrl.algorithms.recurrent.networks import Actor, Belief
from scoutrl.algorithms.recurrent.unroll import Beliefs, Recalled
from scoutrl.envs import MetaEnv, Problem
from scoutrl.nn.linear import Linear
from scoutrl.nn.prediction import Decoder, log_likelihood, predictable
from scoutrl.rl.q_learning import masked_mean
from scoutrl.trials.sequences import Transitions
from scoutrl.trials.trial import Trial


class Posterior(Belief):
    """q_φ: the belief is mean and log-variance of m, side by side."""

    size: int = eqx.field(static=True)
    out: Linear

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch size"]:
        """Mean and log-variance given a memory of τ."""
        mean, log_variance = jnp.split(self.out(hidden), 2, axis=-1)
        return jnp.concatenate([mean, jnp.clip(log_variance, -8.0, 4.0)], axis=-1)


class VaribadNets(eqx.Module):
    """All that is learnt."""

    actor: Actor
    """q_φ and the policy."""
    rewards: Decoder
    """p(r | s, a, s', m), normal of variance 1."""
    states: Decoder | None
    """p(s' | s, a, m); None for images."""


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

    def networks(self, env: MetaEnv) -> VaribadNets:
        """q_φ and the policy; the decoders."""
        actor = self.build_actor(env, Posterior(2 * self.latent, Linear(self.memory, 2 * self.latent, gain=1.0)))
        observation, known = actor.observe.size, actor.observe.size + actor.goal_size + 2 + actor.do.size
        rewards = Decoder(self.latent, known + observation, self.width, 1)
        states = Decoder(self.latent, known, self.width, observation) if predictable(actor.observe) else None
        return VaribadNets(actor, rewards, states)

    def beliefs(self, nets: VaribadNets, recalled: Recalled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """Mean and log-variance of q_φ(m | τ_:t), which learn by the ELBO."""
        belief, played = nets.actor.belief(recalled.hidden), recalled.tape
        kl = masked_mean(steps_of_belief(belief), played.prefixes)
        likelihood = self.log_likelihood(nets, belief, recalled, key)
        elbo = likelihood - self.kl_weight * kl
        metrics = {"elbo": elbo, "log_likelihood": likelihood, "kl": kl}
        shown = belief if self.policy_gradient else jax.lax.stop_gradient(belief)
        return Beliefs(shown, -self.elbo_weight * elbo / played.mask.shape[1], metrics)

    def log_likelihood(
        self, nets: VaribadNets, belief: Float[Array, "batch time+1 belief"], recalled: Recalled, key: PRNGKeyArray
    ) -> Float[Array, ""]:
        """E_t E_{m ~ q_φ(·|τ_:t)} Σ_i log p(r_i, s_{i+1} | s_i, a_i, m), in nats per trial; t is drawn evenly."""
        moment_key, noise = jax.random.split(key)
        mean, log_variance = jnp.split(some_of(belief, recalled.tape, self.elbo_terms, moment_key), 2, axis=-1)
        m = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(noise, mean.shape)
        steps, played = recalled.transitions, recalled.tape
        known = jnp.concatenate([steps.before, steps.action], axis=-1)
        after = jax.lax.stop_gradient(played.after)
        said = nets.rewards(m, jnp.concatenate([known, after], axis=-1))[..., 0]
        total = -0.5 * self.reward_weight * (said - played.rewards[:, None]) ** 2
        if nets.states is not None:
            total += self.state_weight * log_likelihood(nets.actor.observe, nets.states(m, known), after[:, None])
        return (total * played.mask[:, None]).sum(axis=-1).mean()

    def told(self, state: Learner, problem: Problem, key: PRNGKeyArray) -> Told | None:
        """Nothing: no part of VariBAD ever has a problem ID."""
        return None


def steps_of_belief(belief: Float[Array, "batch time+1 belief"]) -> Float[Array, "batch time+1"]:
    """KL( q(m|τ_:t) ‖ q(m|τ_:t-1) ) for every t, in nats; N(0, I) comes before the first."""
    before = jnp.pad(belief[:, :-1], ((0, 0), (1, 0), (0, 0)))
    (mean, log_variance), (mean_0, log_variance_0) = jnp.split(belief, 2, axis=-1), jnp.split(before, 2, axis=-1)
    ratio = jnp.exp(log_variance - log_variance_0)
    distance = (mean - mean_0) ** 2 * jnp.exp(-log_variance_0)
    return 0.5 * (ratio + distance - 1 - log_variance + log_variance_0).sum(axis=-1)


def some_of(
    x: Float[Array, "batch time+1 size"], played: Transitions, count: int, key: PRNGKeyArray
) -> Float[Array, "batch count size"]:
    """`x` on prefixes drawn evenly from those that were lived; by products with one-hots, whose gradient is fast."""
    lived = played.mask.sum(axis=1, keepdims=True)
    moments = jax.random.randint(key, (len(x), count), 0, lived + 1)
    return jnp.einsum("bct,bts->bcs", jax.nn.one_hot(moments, x.shape[1]), x)
