"""PEARL: probabilistic embeddings for actor-critic meta-reinforcement learning (Rakelly et al. 2019), discrete actions.

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
from scoutrl.algorithms.off_policy import LossAux, only_off_policy
from scoutrl.algorithms.pearl.agent import PearlAgent
from scoutrl.algorithms.pearl.context import contexts, factors, joined, task_loss, together
from scoutrl.algorithms.pearl.networks import PearlNetworks, build
from scoutrl.envs import Problem, Spec
from scoutrl.nn.gaussian import Belief
from scoutrl.nn.init import Rng
from scoutrl.ranges import check_ranges
from scoutrl.rl.q_learning import weighted_mean
from scoutrl.trials.trial import Trial


@final
class Pearl(GradientAlgorithm):
    """PEARL on replayed trials."""

    z: int = 8
    """Length of z."""
    kl_weight: float = 1e-3
    """β, weight of KL(q_φ ‖ p) beside the policy's loss."""
    warmup: int = 200
    """Iterations in which the share of random actions falls from 1 to its own."""
    width: int = 64
    """Width of q_φ."""
    policy_width: int = 128
    """Width of the policy."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        only_off_policy(self.learner, "PEARL")
        check_ranges(self, positive="z width policy_width", not_negative="kl_weight warmup")

    def networks(self, spec: Spec, rng: Rng) -> PearlNetworks:
        """q_φ and π_θ."""
        return build(spec, self.learner, self.z, self.width, self.policy_width, self.see_time, rng)

    def agent(self, spec: Spec, state: AlgorithmState) -> PearlAgent:
        """The agent of the averaged weights."""
        return PearlAgent(state.targets, self.learner)

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> PearlAgent:
        """The agent of the current weights; the problem's ID is used nowhere."""
        return PearlAgent(state.networks, self.learner, self.ramp_down(state, self.warmup))

    def priority(self, networks: PearlNetworks, trials: Trial) -> Float[Array, " batch"]:
        """How much exploring tells: KL(q_φ(z | τ) ‖ p)."""
        explored = factors(networks, networks.encode.episodes(trials.exploration))
        return jax.lax.stop_gradient(together(explored).belief().kl())

    def posterior_loss(self, belief: Belief, weight: Float[Array, " batch"] | None = None) -> Float[Array, ""]:
        """β KL(q_φ ‖ p)."""
        return self.kl_weight * weighted_mean(belief.kl().mean(axis=1), weight)

    def loss(
        self, networks: PearlNetworks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """The sum of the two; that of the policy trains q_φ through z."""
        encode = networks.encode
        exploration = encode.episodes(batch.exploration)
        exploitation = encode.episodes(batch.exploitation)
        belief = contexts(factors(networks, exploration), factors(networks, exploitation)).belief()
        hidden = encode.no_goal(*exploration.mask.shape[:2])
        shown = encode.goals(exploitation.goals, *exploitation.mask.shape[:2])
        goals = jnp.concatenate([hidden, shown], axis=1)
        episodes, z = joined(exploration, exploitation), belief.draw(key)
        policy = task_loss(self.learner, networks, state.targets, episodes, goals, z, batch.weight)
        posterior, kl = self.posterior_loss(belief, batch.weight), belief.kl()
        metrics = {"loss": policy + posterior, "policy_loss": policy, "kl": kl.mean()}
        return metrics["loss"], LossAux(metrics, jax.lax.stop_gradient(kl[:, 0]))
