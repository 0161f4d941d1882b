"""MetaCURE: meta-RL with empowerment-driven exploration by prediction (Zhang et al. 2021).

Two policies, and two predictors of what a transition brings, y = (r, s'), in the paper's symbols:

    ŷ_context(s, a, c_:t)      knows the context, all exploration transitions so far
    ŷ_problem(s, a, μ)         knows the problem ID
    π_e(a | s_:t, a_:t)        explores for r_exp = ‖ŷ_context - y‖² - ‖ŷ_problem - y‖²
    q_φ(z | c), π_θ(a | s, g, z)   exploit, as in PEARL

What an explorer is paid for is whatever can be predicted by one who knows the problem and not yet by itself: all that
there is to know of dynamics and rewards, of use to the task or not.
"""

from typing import final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.metacure.agent import MetaCureAgent
from scoutrl.algorithms.metacure.networks import Curiosity, MetaCureNetworks, Sizes, build
from scoutrl.algorithms.off_policy import LossAux, only_off_policy
from scoutrl.algorithms.pearl.agent import PearlAgent
from scoutrl.algorithms.pearl.context import contexts, factors, task_loss
from scoutrl.envs import Problem, Spec
from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.encoders import Encoder
from scoutrl.nn.init import Rng
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import Share, Steps, Weights
from scoutrl.rl.q_learning import masked_mean, weighted_mean
from scoutrl.trials.sequences import Transitions, transitions
from scoutrl.trials.trial import Trial


@final
class MetaCure(GradientAlgorithm):
    """MetaCURE on replayed trials, with one kind of learner for both policies."""

    z: int = 8
    """Length of z."""
    kl_weight: float = 1e-4
    """β, weight of KL(q_φ ‖ p), in nats, beside the exploitation policy's loss, in squared returns."""
    reward_weight: float = 0.0
    """Weight of the environment's reward beside r_exp, while exploring."""
    warmup: int = 200
    """Iterations in which the explorer's share of random actions falls from 1 to its own."""
    width: int = 64
    """Width of explorer, predictors and q_φ."""
    explorer_layers: int = 1
    """Hidden layers of the explorer after its memory; two or more are normalised (LayerNorm)."""
    memory_size: int = 64
    """Length of the recurrent memories of explorer and context predictor."""
    memory_cell: MemoryCell = "linear"
    """Kind of memory: linear in its own state (minGRU), which is quick at any horizon, or a GRU."""
    policy_width: int = 128
    """Width of the exploitation policy."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        only_off_policy(self.learner, "MetaCURE")
        positive = "z width explorer_layers memory_size policy_width"
        check_ranges(self, positive=positive, not_negative="kl_weight reward_weight warmup")

    def networks(self, spec: Spec, rng: Rng) -> MetaCureNetworks:
        """Predictors, π_e, q_φ and π_θ."""
        memories = self.memory_size, self.memory_cell
        sizes = Sizes(self.z, self.width, *memories, self.policy_width, self.explorer_layers)
        return build(spec, self.encoders(spec, rng), self.learner, sizes, rng)

    def agent(self, spec: Spec, state: AlgorithmState) -> MetaCureAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return self._agent(state.targets)

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> MetaCureAgent:
        """The agent of the current weights; the problem's ID is used nowhere."""
        return self._agent(state.networks, self.ramp_down(state, self.warmup))

    # The objectives.

    def explorer_loss(
        self,
        networks: MetaCureNetworks,
        targets: MetaCureNetworks,
        gain: Float[Array, "batch time"],
        explored: Transitions,
        features: TransitionFeatures,
        key: PRNGKeyArray,
        weight: Weights = None,
    ) -> Float[Array, ""]:
        """Learn π_e for r_exp, always that of the predictors of now, and with no gradient into them."""
        rewards = jax.lax.stop_gradient(gain) + self.reward_weight * explored.rewards
        # All exploration episodes of a trial are one return: what is found out counts whenever it comes.
        discounts = self.learner.discount * explored.not_last
        steps = Steps(explored.actions, rewards, discounts, explored.mask, weight=weight)
        explorer, target = networks.explorer, targets.explorer
        seen = explorer.unroll(features), target.unroll(features)
        return self.learner.loss(explorer.head, target.head, *seen, steps, key)[0]

    def loss(
        self, networks: MetaCureNetworks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """The sum of the objectives of explorer, predictors, and of exploiting with β KL(q_φ ‖ p)."""
        sampler, encode, weight = networks.sampler, networks.sampler.encode, batch.weight
        exploration = encode.episodes(batch.exploration)
        exploitation = encode.episodes(batch.exploitation)
        explored = transitions(exploration)
        actions = encode.action(explored.actions)
        features = TransitionFeatures(explored.before, actions, explored.rewards, explored.after)
        without_id, with_id = errors(networks.curiosity, encode.observation, features, batch.problem)
        context_error, problem_error = (masked_mean(x, explored.mask, weight) for x in (without_id, with_id))
        explorer_key, policy_key = jax.random.split(jax.random.fold_in(key, 2))
        gain = without_id - with_id
        explorer = self.explorer_loss(networks, state.targets, gain, explored, features, explorer_key, weight)

        belief = contexts(factors(sampler, exploration), factors(sampler, exploitation)).belief()
        goals, z = encode.goals(exploitation.goals, *exploitation.mask.shape[:2]), belief.draw(key)
        z = z[:, self.exploration_episodes :]
        policy = task_loss(self.learner, sampler, state.targets.sampler, exploitation, goals, z, policy_key, weight)
        kl = belief.kl()[:, self.exploration_episodes]
        metrics = {
            "loss": explorer + context_error + problem_error + policy + self.kl_weight * weighted_mean(kl, weight),
            "explorer_loss": explorer,
            "policy_loss": policy,
            "context_error": context_error,
            "problem_error": problem_error,
            "gain": weighted_mean((gain * explored.mask).sum(axis=1), weight),
            "kl": kl.mean(),
        }
        return metrics["loss"], LossAux(metrics, jax.lax.stop_gradient(kl))

    def _agent(self, networks: MetaCureNetworks, explorer_random: Share = 0.0) -> MetaCureAgent:
        return MetaCureAgent(networks.explorer, PearlAgent(networks.sampler, self.learner), explorer_random)


def errors(
    curiosity: Curiosity, observe: Encoder, features: TransitionFeatures, problem: Array
) -> tuple[Float[Array, "batch time"], Float[Array, "batch time"]]:
    """‖ŷ_context - y‖² and ‖ŷ_problem - y‖² of each step, log-likelihoods in place of squares where y is discrete."""
    context = curiosity.history.scan(features)[:, :-1]
    known = curiosity.encoder(problem)[:, None]
    known = jnp.broadcast_to(known, (*features.reward.shape, known.shape[-1]))
    return curiosity.without_id.error(observe, features, context), curiosity.with_id.error(observe, features, known)
