"""DREAM: decoupled reward-free exploration and execution in meta-reinforcement learning (Liu et al. 2021).

Four parts, in the paper's symbols:

    F_ψ(z|μ) = N(f_ψ(μ), ρ²I)        encodes what the task needs of the problem ID μ        (encoder)
    q_ω(z|τ) = N(g_ω(τ), ρ²I)        recovers it from an exploration trajectory τ           (decoder)
    π_exp(a | s_:t, a_:t)            explores so that it can be recovered                   (explorer)
    π_task(a | s, g, z)              exploits, given z                                      (policy)

Each has an objective of its own: `bottleneck_loss`, `decoder_loss`, `explorer_loss` and `policy_loss` below. How the
two policies learn from their rewards is their learner's business.
"""

import abc
from typing import final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.dream.networks import Actors, DreamNetworks
from scoutrl.algorithms.dream.setup import DreamSetup, ramp
from scoutrl.algorithms.off_policy import LossAux
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.learner import Steps, Weights
from scoutrl.rl.q_learning import masked_mean, weighted_mean
from scoutrl.trials.encode import EncodedEpisodes
from scoutrl.trials.sequences import Transitions, transitions
from scoutrl.trials.trial import Trial


class DreamBase(DreamSetup):
    """DREAM up to the reward of its explorer, for variants; its settings are those of `DreamSetup`."""

    def bottleneck_loss(self, f: Float[Array, "batch z"], weight: Weights = None) -> Float[Array, ""]:
        """λ E_μ KL(F_ψ(·|μ) ‖ N(0, ρ²I)) = λ E ‖f‖² / (2ρ²), or the hinge on it."""
        if self.bottleneck == "none":
            return jnp.float32(0.0)
        size = (f**2).sum(axis=-1)
        if self.bottleneck == "hinge":
            size = jax.nn.relu(size - self.hinge_threshold)
        return self.bottleneck_weight * weighted_mean(size, weight) / (2 * self.rho**2)

    def decoder_loss(
        self, distance: Float[Array, "batch time+1"], explored: Transitions, weight: Weights = None
    ) -> Float[Array, ""]:
        """E ‖sg[f_ψ(μ)] - g_ω(τ_:t)‖² over all prefixes, times its weight."""
        return self.decoder_weight * masked_mean(distance, explored.prefixes, weight)

    @abc.abstractmethod
    def exploration_rewards(
        self, distance: Float[Array, "batch time+1"], explored: Transitions
    ) -> Float[Array, "batch time"]:
        """The reward of each exploration step, before its cost; no gradient is taken through it.

        Args:
            distance: ‖f_ψ(μ) - g_ω(τ_:t)‖² on every prefix, by the f and g of now, as a share of its mean on the empty
                prefix.
            explored: the exploration trajectory.
        """

    def explorer_loss(
        self,
        networks: DreamNetworks,
        targets: DreamNetworks,
        rewards: Array,
        explored: Transitions,
        memory: Float[Array, "batch time+1 hidden"],
        cost: Array,
        key: PRNGKeyArray,
        weight: Weights = None,
    ) -> Float[Array, ""]:
        """Learn π_exp for its rewards less the cost of each step; `memory` is the decoder's, which it may share."""
        # All exploration episodes of a trial are one return: information counts whenever it comes.
        rewards, discounts = jax.lax.stop_gradient(rewards) - cost, self.learner.discount * explored.not_last
        floor = 0.0 if self.end_exploration else None
        steps = Steps(explored.actions, rewards, discounts, explored.mask, weight=weight, floor=floor)
        features = self._transition_features(networks.actors, explored)
        heads = networks.actors.explorer.head, targets.actors.explorer.head
        still = jax.lax.stop_gradient(memory)
        own = networks.actors.explorer.unroll(features, memory if self.explorer_gradient else still)
        target = targets.actors.explorer.unroll(features, still)
        return self.learner.loss(*heads, own, target, steps, key)[0]

    def policy_loss(
        self,
        networks: DreamNetworks,
        targets: DreamNetworks,
        exploited: EncodedEpisodes,
        z: Float[Array, "batch z"],
        key: PRNGKeyArray,
        weight: Weights = None,
    ) -> Float[Array, ""]:
        """Learn π_task for the environment's reward."""
        weight = None if weight is None else jnp.repeat(weight, exploited.mask.shape[1])
        exploited = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), exploited)
        discounts = self.learner.discount * ~exploited.ended
        steps = Steps(exploited.actions, exploited.rewards, discounts, exploited.mask, weight=weight)
        heads = networks.actors.policy.head, targets.actors.policy.head
        own, target = (self._policy_features(n.actors, networks.actors, exploited, z) for n in (networks, targets))
        return self.learner.loss(*heads, own, target, steps, key)[0]

    def loss(
        self, networks: DreamNetworks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """The sum of the four; trials that moved the belief have priority.

        Trials drawn more often than they happen weigh less, but not for a policy that was told the problem: to one that
        knows it, luck does not look like skill.
        """
        encoder, actors, weight = networks.encoder, networks.actors, batch.weight
        explored = transitions(actors.encode.episodes(batch.exploration))
        exploited = actors.encode.episodes(batch.exploitation)
        f = encoder(batch.problem)
        memory = actors.decoder.history.scan(self._transition_features(actors, explored))
        g = actors.decoder(memory)
        distance = ((jax.lax.stop_gradient(f)[:, None] - g) ** 2).sum(axis=-1)
        before, after = (weighted_mean(d, weight) for d in (distance[:, 0], explored.last(distance[..., None])[:, 0]))
        rewards = self.exploration_rewards(jax.lax.stop_gradient(distance / (before + 1e-3)), explored)
        least = state.counters["least_residual"]
        cost = self.step_cost * ramp(least, self.step_cost_below, self.step_cost_below / 2)
        z, told = self._task(f, explored.last(g), batch.informed, key), batch.weight_unless(batch.informed)
        explorer_key, policy_key = jax.random.split(jax.random.fold_in(key, 2))
        losses = {
            "bottleneck_loss": self.bottleneck_loss(f, weight),
            "decoder_loss": self.decoder_loss(distance, explored, weight),
            "explorer_loss": self.explorer_loss(
                networks, state.targets, rewards, explored, memory, cost, explorer_key, weight
            ),
            "policy_loss": self.policy_loss(networks, state.targets, exploited, z, policy_key, told),
        }
        metrics = {
            "loss": sum(losses.values(), jnp.float32(0.0)),
            **losses,
            "kl": weighted_mean((f**2).sum(axis=-1), weight) / (2 * self.rho**2),
            "residual": after / (before + 1e-3),
            "least_residual": jnp.minimum(least, state.counters["residual"]),
            "step_cost": cost,
            "decoded_share": self.share_decoded(state),
        }
        return metrics["loss"], LossAux(metrics, belief_shift(g, explored))

    def _task(self, f: Array, g: Array, informed: Array, key: PRNGKeyArray) -> Float[Array, "batch z"]:
        """Of each trial as it was lived: z ~ F_ψ(z|μ), reparameterised, or g_ω(τ), as it will be at test time."""
        g = g if self.decoder_gradient else jax.lax.stop_gradient(g)
        return jnp.where(informed[:, None], self.sample_task(f, key), g)

    def _transition_features(self, actors: Actors, explored: Transitions) -> TransitionFeatures:
        rewards = explored.rewards if self.see_rewards else jnp.zeros_like(explored.rewards)
        return TransitionFeatures(explored.before, actors.encode.action(explored.actions), rewards, explored.after)

    def _policy_features(
        self, own: Actors, current: Actors, exploited: EncodedEpisodes, z: Array
    ) -> Float[Array, "episodes time+1 features"]:
        """π_task's last hidden layer in every step, by its own weights on the current encoders' features."""
        policy, features = own.policy, exploited.features
        episodes, steps = features.shape[:2]
        goal = own.encode.goals(exploited.goals, episodes)
        goal = jnp.broadcast_to(goal[:, None], (episodes, steps, goal.shape[-1]))
        z = jnp.repeat(z, episodes // len(z), axis=0)[:, None]
        if policy.history is None:
            return policy.features(None, features, goal, z)
        actions = current.encode.action(exploited.actions)
        moved = TransitionFeatures(features[:, :-1], actions, exploited.rewards, features[:, 1:])
        return policy.features(policy.history.scan(moved), features, goal, z)


@final
class Dream(DreamBase):
    """DREAM: the explorer is rewarded for the information that each step gains about z."""

    def exploration_rewards(
        self, distance: Float[Array, "batch time+1"], explored: Transitions
    ) -> Float[Array, "batch time"]:
        """r_t = log q_ω(z|τ_:t+1) - log q_ω(z|τ_:t), up to a factor ‖f - g(τ_:t)‖² - ‖f - g(τ_:t+1)‖²."""
        return information_gain(distance)


def information_gain(distance: Float[Array, "batch time+1"]) -> Float[Array, "batch time"]:
    """D_t - D_{t+1}: its sum over a trajectory is the whole drop in distance."""
    return distance[:, :-1] - distance[:, 1:]


def belief_shift(g: Float[Array, "batch time+1 z"], explored: Transitions) -> Float[Array, " batch"]:
    """‖g(τ) - g(∅)‖²: how far exploring has moved the belief."""
    return jax.lax.stop_gradient(((explored.last(g) - g[:, 0]) ** 2).sum(axis=-1))
