"""MetaCURE: meta-RL with empowerment-driven exploration by prediction (Zhang et al. 2021), discrete actions.

Two policies, and two predictors of what a transition brings, y = (r, s'), in the paper's symbols:

    ŷ_context(s, a, c_:t)      knows the context, all exploration transitions so far
    ŷ_problem(s, a, μ)         knows the problem ID
    π_e(a | s_:t, a_:t)        explores for r_exp = ‖ŷ_context - y‖² - ‖ŷ_problem - y‖²
    q_φ(z | c), π_θ(a | s, g, z)   exploit, as in PEARL

What an explorer is paid for is whatever can be predicted by one who knows the problem and not yet by itself: all that
there is to know of dynamics and rewards, of use to the task or not.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.metacure.agent import Curiosity, MetaCureAgent, MetaCureNets, Sizes, build
from scoutrl.algorithms.off_policy import Findings, Learner, Replayed
from scoutrl.algorithms.pearl.agent import PearlAgent
from scoutrl.algorithms.pearl.pearl import action_values, contexts, factors, shown, whole
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.envs import MetaEnv, Problem
from scoutrl.nn.encoders import Encoder
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.q_learning import greedy_value, masked_mean, q_loss
from scoutrl.trials.encode import seen
from scoutrl.trials.sequences import Transitions, tape
from scoutrl.trials.trial import Episodes, Trial


class MetaCure(Replayed):
    """MetaCURE with double duelling Q(λ) learning on replayed trials for both policies."""

    z: int = 8
    """Length of z."""
    kl_weight: float = 1e-3
    """β, weight of KL(q_φ ‖ p) beside the critic's loss."""
    reward_weight: float = 0.0
    """Weight of the environment's reward beside r_exp, while exploring."""
    warmup: int = 200
    """Iterations in which the explorer's share of random actions falls from 1 to its own."""
    width: int = 64
    """Width of explorer, predictors and q_φ."""
    memory: int = 64
    """Length of the recurrent memories of explorer and context predictor."""
    policy_width: int = 128
    """Width of the exploitation policy."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="z width memory policy_width", not_negative="kl_weight reward_weight warmup")

    def networks(self, env: MetaEnv) -> MetaCureNets:
        """Predictors, π_e, q_φ and π_θ."""
        return build(env, Sizes(self.z, self.width, self.memory, self.policy_width))

    def schedules(self) -> dict[str, float]:
        """None."""
        return {}

    def agent(self, env: MetaEnv, state: Learner) -> MetaCureAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return self._agent(state.average, jnp.float32(0.0))

    def collector(self, env: MetaEnv, state: Learner, problem: Problem, key: PRNGKeyArray) -> MetaCureAgent:
        """The agent of the current weights; the problem's ID is used nowhere."""
        warm = state.updates / (self.updates * max(self.warmup, 1))
        return self._agent(state.nets, jnp.clip(1.0 - warm, 0.0, 1.0))

    def interest(self, nets: MetaCureNets, trials: Trial) -> Float[Array, " batch"]:
        """How much exploring tells: KL(q_φ(z | c) ‖ p), which depends on c alone."""
        sampler = nets.sampler
        explored = factors(sampler, seen(sampler.observe, trials.exploration))
        return jax.lax.stop_gradient(whole(explored).belief().kl())

    # The objectives.

    def explorer_loss(
        self, gain: Float[Array, "batch time"], q: Array, judge: Array, played: Transitions
    ) -> Float[Array, ""]:
        """Q(λ) on r_exp, always that of the predictors of now, and with no gradient into them."""
        rewards = jax.lax.stop_gradient(gain) + self.reward_weight * played.rewards
        # All exploration episodes of a trial are one return: what is found out counts whenever it comes.
        discounts = self.discount * jnp.pad(played.mask[:, 1:], ((0, 0), (0, 1)))
        values = jnp.pad(greedy_value(q, judge)[:, 1:], ((0, 0), (0, 1)))
        return q_loss(q, values, rewards, discounts, played.actions, played.mask, self.trace)

    def critic_loss(self, q: Array, judge: Array, lived: Episodes) -> Float[Array, ""]:
        """Q(λ) on the environment's reward; time running out does not end the return, so the last value counts."""
        discounts = self.discount * ~lived.terminated
        values = greedy_value(q, judge)[:, 1:]
        return q_loss(q[:, :-1], values, lived.rewards, discounts, lived.actions, lived.mask, self.trace)

    def loss(
        self, nets: MetaCureNets, state: Learner, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Findings]:
        """The sum of the objectives of explorer, predictors, and of exploiting with β KL(q_φ ‖ p)."""
        observe = nets.sampler.observe
        exploration, exploitation = seen(observe, batch.exploration), seen(observe, batch.exploitation)
        played = tape(exploration)
        actions = jax.nn.one_hot(played.actions, nets.sampler.actions)
        transitions = TransitionFeatures(played.before, actions, played.rewards, played.after)
        untold, told = errors(nets.curiosity, observe, transitions, batch.problem)
        prediction = masked_mean(untold, played.mask) + masked_mean(told, played.mask)

        q = _explorer_values(nets, transitions)
        judge = _explorer_values(state.average, transitions) if self.double else q
        explorer = self.explorer_loss(untold - told, q, judge, played)

        explored = factors(nets.sampler, exploration)
        belief = contexts(explored, factors(nets.sampler, exploitation)).belief()
        goals, z = shown(nets.sampler, exploitation), belief.draw(key)[:, self.explorations :]
        lived, goals, z = jax.tree.map(_together, (exploitation, goals, z))
        q = action_values(nets.sampler, lived, goals, z)
        judge = action_values(state.average.sampler, lived, goals, z) if self.double else q
        critic, kl = self.critic_loss(q, judge, lived), belief.kl()[:, self.explorations]
        metrics = {
            "loss": explorer + prediction + critic + self.kl_weight * kl.mean(),
            "explorer_loss": explorer,
            "critic_loss": critic,
            "context_error": masked_mean(untold, played.mask),
            "problem_error": masked_mean(told, played.mask),
            "gain": ((untold - told) * played.mask).sum(axis=1).mean(),
            "kl": kl.mean(),
        }
        return metrics["loss"], Findings(metrics, jax.lax.stop_gradient(kl))

    def _agent(self, nets: MetaCureNets, explorer_epsilon: Array) -> MetaCureAgent:
        epsilon = jnp.array([self.epsilon_low, self.epsilon_high])
        sampler = PearlAgent(nets.sampler, epsilon, self.random_actions)
        return MetaCureAgent(nets.explorer, sampler, explorer_epsilon)


def errors(
    curiosity: Curiosity, observe: Encoder, transitions: TransitionFeatures, problem: Array
) -> tuple[Float[Array, "batch time"], Float[Array, "batch time"]]:
    """‖ŷ_context - y‖² and ‖ŷ_problem - y‖² of each step, log-likelihoods in place of squares where y is discrete."""
    context = curiosity.history.scan(transitions)[:, :-1]
    known = curiosity.encoder(problem)[:, None]
    known = jnp.broadcast_to(known, (*transitions.reward.shape, known.shape[-1]))
    return curiosity.untold.error(observe, transitions, context), curiosity.told.error(observe, transitions, known)


def _explorer_values(nets: MetaCureNets, transitions: TransitionFeatures) -> Float[Array, "batch time actions"]:
    memory = nets.explorer.history.scan(transitions)
    return nets.explorer(memory[:, :-1], transitions.before)


def _together(x: Array) -> Array:
    """The episodes of all trials in one axis."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
