"""PEARL: probabilistic embeddings for actor-critic meta-reinforcement learning (Rakelly et al. 2019), discrete actions.

Posterior sampling with a learnt posterior, in the paper's symbols:

    p(z) = N(0, I)                                                the prior
    q_φ(z | experiences) ∝ p(z) Π_n Ψ_φ(z | s_n, a_n, r_n, s'_n)  one Gaussian factor for each transition
    π_θ(a | s, g, z)                                              one policy, exploring and exploiting

`PearlAgent` is the sampling; here is what q_φ and π_θ learn from: `critic_loss` and `posterior_loss`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.off_policy import Findings, Learner, Replayed
from scoutrl.algorithms.pearl.agent import PearlAgent, PearlNets, build
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.envs import MetaEnv, Problem
from scoutrl.nn.gaussian import Belief, Factor
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.q_learning import greedy_value, q_loss
from scoutrl.trials.encode import seen
from scoutrl.trials.trial import Episodes, Trial


class Pearl(Replayed):
    """PEARL with double duelling Q(λ) learning on replayed trials in place of the original's soft actor-critic."""

    z: int = 8
    """Length of z."""
    kl_weight: float = 1e-3
    """β, weight of KL(q_φ ‖ p) beside the critic's loss."""
    width: int = 64
    """Width of q_φ."""
    policy_width: int = 128
    """Width of the policy."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="z width policy_width", not_negative="kl_weight")

    def networks(self, env: MetaEnv) -> PearlNets:
        """q_φ and π_θ."""
        return build(env, self.z, self.width, self.policy_width)

    def schedules(self) -> dict[str, float]:
        """None."""
        return {}

    def agent(self, env: MetaEnv, state: Learner) -> PearlAgent:
        """The agent of the averaged weights."""
        return PearlAgent(state.average, jnp.array([self.epsilon_low, self.epsilon_high]), self.random_actions)

    def collector(self, env: MetaEnv, state: Learner, problem: Problem, key: PRNGKeyArray) -> PearlAgent:
        """The agent of the current weights; the problem's ID is used nowhere."""
        return PearlAgent(state.nets, jnp.array([self.epsilon_low, self.epsilon_high]), self.random_actions)

    def interest(self, nets: PearlNets, trials: Trial) -> Float[Array, " batch"]:
        """How much exploring tells: KL(q_φ(z | τ) ‖ p), which depends on τ alone."""
        explored = factors(nets, seen(nets.observe, trials.exploration))
        return jax.lax.stop_gradient(whole(explored).belief().kl())

    def critic_loss(self, q: Array, judge: Array, lived: Episodes) -> Float[Array, ""]:
        """Q(λ) on the environment's reward; time running out does not end the return, so the last value counts."""
        discounts = self.discount * ~lived.terminated
        values = greedy_value(q, judge)[:, 1:]
        return q_loss(q[:, :-1], values, lived.rewards, discounts, lived.actions, lived.mask, self.trace)

    def posterior_loss(self, belief: Belief) -> Float[Array, ""]:
        """β KL(q_φ ‖ p)."""
        return self.kl_weight * belief.kl().mean()

    def loss(
        self, nets: PearlNets, state: Learner, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Findings]:
        """The sum of the two; the critic's trains q_φ through z."""
        exploration, exploitation = seen(nets.observe, batch.exploration), seen(nets.observe, batch.exploitation)
        experiences = contexts(factors(nets, exploration), factors(nets, exploitation))
        belief = experiences.belief()
        z = belief.draw(key)
        lived = joined(exploration, exploitation)
        goals = jnp.concatenate([hidden(nets, exploration), shown(nets, exploitation)], axis=1)
        lived, goals, z = jax.tree.map(lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), (lived, goals, z))

        q = action_values(nets, lived, goals, z)
        judge = action_values(state.average, lived, goals, z) if self.double else q
        critic, posterior = self.critic_loss(q, judge, lived), self.posterior_loss(belief)
        kl = belief.kl()
        metrics = {"loss": critic + posterior, "critic_loss": critic, "kl": kl.mean()}
        return metrics["loss"], Findings(metrics, jax.lax.stop_gradient(kl[:, 0]))


def factors(nets: PearlNets, episodes: Episodes) -> Factor:
    """What each episode says of z, [batch, episode, z]; observations are features."""
    actions = jax.nn.one_hot(episodes.actions, nets.actions)
    before, after = episodes.observations[..., :-1, :], episodes.observations[..., 1:, :]
    return nets.inference(TransitionFeatures(before, actions, episodes.rewards, after)).product(episodes.mask)


def whole(episodes: Factor) -> Factor:
    """What all episodes say together, [batch, z]."""
    return jax.tree.map(lambda x: x.sum(axis=1), episodes)


def contexts(explored: Factor, exploited: Factor) -> Factor:
    """The experiences that each episode's z is drawn from in learning, [batch, explorations + exploitations, z].

    An exploitation episode's are all before it. An exploration episode's are all of exploration, itself included: while
    learning, z tells the problem at hand, so that a draw from the prior is a problem that might be.
    """

    def of_each(before: Array, now: Array) -> Array:
        explored = jnp.broadcast_to(before.sum(axis=1, keepdims=True), before.shape)
        earlier = jnp.cumsum(now, axis=1) - now
        return jnp.concatenate([explored, explored[:, :1] + earlier], axis=1)

    return jax.tree.map(of_each, explored, exploited)


def joined(exploration: Episodes, exploitation: Episodes) -> Episodes:
    """All episodes of each trial, without their goals."""
    parts = (
        Episodes(e.observations, e.actions, e.rewards, e.terminated, e.mask, None) for e in (exploration, exploitation)
    )
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), *parts)


def hidden(nets: PearlNets, episodes: Episodes) -> Float[Array, "batch episode goal"]:
    """Features of goals that are not shown."""
    return jnp.broadcast_to(nets.no_goal, (*episodes.mask.shape[:2], len(nets.no_goal)))


def shown(nets: PearlNets, episodes: Episodes) -> Float[Array, "batch episode goal"]:
    """Features of goals that are."""
    return hidden(nets, episodes) if nets.instruct is None else nets.instruct(episodes.goals)


def action_values(nets: PearlNets, lived: Episodes, goals: Array, z: Array) -> Float[Array, "episodes time+1 actions"]:
    """Q_θ(s, g, z, ·) in every step."""
    steps = lived.observations.shape[1]
    goals = jnp.broadcast_to(goals[:, None], (len(goals), steps, goals.shape[-1]))
    return nets.policy(None, lived.observations, goals, z[:, None])
