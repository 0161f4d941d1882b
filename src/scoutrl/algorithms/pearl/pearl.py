"""PEARL: probabilistic embeddings for actor-critic meta-reinforcement learning (Rakelly et al. 2019).

Posterior sampling with a learnt posterior, in the paper's symbols:

    p(z) = N(0, I)                                                the prior
    q_φ(z | experiences) ∝ p(z) Π_n Ψ_φ(z | s_n, a_n, r_n, s'_n)  one Gaussian factor for each transition
    π_θ(a | s, g, z)                                              one policy, exploring and exploiting

`PearlAgent` is the sampling; here is what q_φ and π_θ learn from: the learner's loss of π_θ (the original has a soft
actor-critic in the place of Q(λ)), which trains q_φ through z, and `posterior_loss`.
"""

from typing import final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.off_policy import LossAux, only_off_policy, replay_setting
from scoutrl.algorithms.pearl.agent import PearlAgent
from scoutrl.algorithms.pearl.context import factors, joined, task_loss, together
from scoutrl.algorithms.pearl.networks import PearlNetworks, build
from scoutrl.envs import Problem, Spec
from scoutrl.nn.gaussian import Belief, Factor
from scoutrl.nn.init import Rng
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import Weights
from scoutrl.rl.q_learning import weighted_mean
from scoutrl.trials import replay as ring
from scoutrl.trials.trial import Trial


@final
class Pearl(GradientAlgorithm):
    """PEARL on replayed trials."""

    z: int = 8
    """Length of z."""
    kl_weight: float = 1e-4
    """β, weight of KL(q_φ ‖ p), in nats, beside the policy's loss, in squared returns; too large, and z is given up."""
    context_trials: int = 2
    """Trials that z is inferred from in learning: drawn from all those stored of the problem, apart from the batch."""
    success_share: float = replay_setting(0.0)
    """Share of a gradient step's trials drawn from those whose exploitation return is above the mean, by importance
    weights."""
    priority_share: float = replay_setting(0.0)
    """Share of a gradient step's trials drawn from those whose exploration tells more than the mean, likewise."""
    goal_while_exploring: bool = False
    """The goal of an exploration episode is seen as well: that of the next episode may be another."""
    warmup: int = 200
    """Iterations in which the share of random actions falls from 1 to its own."""
    width: int = 64
    """Width of q_φ."""
    policy_width: int = 128
    """Width of the policy."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        only_off_policy(self.learner, "PEARL")
        check_ranges(self, positive="z width policy_width context_trials", not_negative="kl_weight warmup")

    def networks(self, spec: Spec, rng: Rng) -> PearlNetworks:
        """q_φ and π_θ."""
        return build(spec, self.encoders(spec, rng), self.learner, self.z, self.width, self.policy_width, rng)

    def agent(self, spec: Spec, state: AlgorithmState) -> PearlAgent:
        """The agent of the averaged weights."""
        return PearlAgent(state.targets, self.learner, goal_while_exploring=self.goal_while_exploring)

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> PearlAgent:
        """The agent of the current weights; the problem's ID is used nowhere."""
        random = self.ramp_down(state, self.warmup)
        return PearlAgent(state.networks, self.learner, random, self.goal_while_exploring)

    def posterior_loss(self, belief: Belief, weight: Weights = None) -> Float[Array, ""]:
        """β KL(q_φ ‖ p)."""
        return self.kl_weight * weighted_mean(belief.kl(), weight)

    def loss(
        self, networks: PearlNetworks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """The sum of the two; that of the policy trains q_φ through z."""
        context_key, key, policy_key = jax.random.split(key, 3)
        belief = self.context(networks, state, batch.problem, context_key)
        phases = [networks.encode.episodes(phase) for phase in (batch.exploration, batch.exploitation)]
        seen = phases[0].goals if self.goal_while_exploring else None
        shown = zip((seen, phases[1].goals), phases, strict=True)
        goals = [networks.encode.goals(goals, *episodes.mask.shape[:2]) for goals, episodes in shown]
        episodes, goals = joined(*phases), jnp.concatenate(goals, axis=1)
        z = jax.vmap(belief.draw, out_axes=1)(jax.random.split(key, episodes.mask.shape[1]))
        policy = task_loss(self.learner, networks, state.targets, episodes, goals, z, policy_key, batch.weight)
        posterior, kl = self.posterior_loss(belief, batch.weight), belief.kl()
        metrics = {"loss": policy + posterior, "policy_loss": policy, "kl": kl.mean()}
        # The trial's own, as when it was stored: that of its context is of other trials.
        return metrics["loss"], LossAux(metrics, _told(factors(networks, phases[0])))

    def context(self, networks: PearlNetworks, state: AlgorithmState, problems: Problem, key: PRNGKeyArray) -> Belief:
        """q_φ(z | context) for each of some problems [batch, k], the context being stored trials of that problem.

        They are drawn apart from the trials that the policy learns from: z tells the problem, and not what happened.
        """
        rows = ring.of_problems(state.replay, problems, self.context_trials, key)
        trials = ring.take(state.replay, rows.reshape(-1))
        phases = (networks.encode.episodes(phase) for phase in (trials.exploration, trials.exploitation))
        each = together(factors(networks, joined(*phases)))
        return jax.tree.map(lambda x: x.reshape(*rows.shape, *x.shape[1:]).sum(axis=1), each).belief()


def _told(explored: Factor) -> Float[Array, " batch"]:
    """KL(q_φ(z | τ) ‖ p), given what each exploration episode says of z."""
    return jax.lax.stop_gradient(together(explored).belief().kl())
