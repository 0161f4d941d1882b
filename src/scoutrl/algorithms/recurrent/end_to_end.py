"""Learning one policy for the whole trial, end to end: by Q(λ) on replayed trials, or by PPO on fresh ones.

The trial is one long episode: the memory is kept, and the value after an episode's last step is the value before the
next one's first. The end of the trial ends the return. What an algorithm of this kind has of its own is how it comes
from memory to belief: `beliefs`.
"""

import abc
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import Metrics
from scoutrl.algorithms.off_policy import Findings, Learner, Networks, Replaying
from scoutrl.algorithms.on_policy import passes
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.algorithms.recurrent.agent import RecurrentAgent, Told
from scoutrl.algorithms.recurrent.networks import Actor, Belief, LearnerName, Sizes, build_actor
from scoutrl.algorithms.recurrent.unroll import Beliefs, Recalled, recall
from scoutrl.envs import MetaEnv, Problem
from scoutrl.errors import ScoutError
from scoutrl.rl.distributions import Distribution
from scoutrl.rl.ppo import advantages, clipped_loss, normalised
from scoutrl.rl.q_learning import greedy_value, masked_mean, q_loss
from scoutrl.trials.sequences import TrialSequence
from scoutrl.trials.trial import Trial

Objective = Literal["exploitation", "all"]
"""Whose reward is optimised: that of the exploitation episodes, or that of all episodes."""


class Lessons(eqx.Module):
    """Fresh trials, and what PPO notes of them before its first step."""

    trials: Trial
    """Leading axis [trials]."""
    log_probabilities: Float[Array, "trials time"]
    """Of the actions taken, by the policy that took them."""
    advantages: Float[Array, "trials time"]
    """How much better than expected they turned out."""
    returns: Float[Array, "trials time"]
    """What the value should have been."""


class EndToEnd(Replaying):
    """An algorithm with one policy for the whole trial."""

    objective: Objective = "exploitation"
    """Whose reward is optimised: exploitation (that of exploring is seen but does not count), or all."""
    learner: LearnerName = "q"
    """q: double duelling Q(λ) on replayed trials. ppo: policy gradients on fresh trials; `updates` steps, each on
    `batch` of them, pass through them all again and again."""
    see_rewards: bool = True
    """Rewards are seen while exploring."""
    warmup: int = 200
    """With learner=q: iterations in which the share of random actions while exploring falls from 1 to its own."""
    clip: float = 0.2
    """With learner=ppo: ε, how far a probability may move in one iteration for the gain to count."""
    entropy: float = 0.03
    """With learner=ppo: weight of the policy's entropy."""
    value_weight: float = 0.5
    """With learner=ppo: weight of the value's squared error."""
    width: int = 64
    """Width of the layer before the memory."""
    memory: int = 64
    """Length of the recurrent memory."""
    policy_width: int = 128
    """Width of the policy."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="clip width memory policy_width", not_negative="warmup entropy value_weight")
        if self.learner == "ppo" and (self.trials % self.batch or self.updates * self.batch % self.trials):
            raise ScoutError(
                f"learner=ppo passes whole times through the fresh trials: batch ({self.batch}) must divide trials "
                f"({self.trials}), and updates ({self.updates}) be a multiple of {max(self.trials // self.batch, 1)}"
            )

    @abc.abstractmethod
    def beliefs(self, nets: Networks, recalled: Recalled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """From memory to belief, on every prefix of a batch of trials; `nets.actor` is what acts."""

    @abc.abstractmethod
    def told(self, state: Learner, problem: Problem, key: PRNGKeyArray) -> Told | None:
        """What an agent that collects a training trial is told; None in algorithms that tell it nothing."""

    def init(self, env: MetaEnv, key: PRNGKeyArray) -> Learner:
        """Fresh networks, and an empty replay if one is learnt from."""
        state = self.fresh(env, key)
        return self.with_replay(env, state, key) if self.learner == "q" else state

    def agent(self, env: MetaEnv, state: Learner) -> RecurrentAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return self._agent(state.average.actor, jnp.float32(0.0), None)

    def collector(self, env: MetaEnv, state: Learner, problem: Problem, key: PRNGKeyArray) -> RecurrentAgent:
        """The agent of the current weights; early on it explores at random."""
        warm = state.updates / (self.updates * max(self.warmup, 1))
        return self._agent(state.nets.actor, jnp.clip(1.0 - warm, 0.0, 1.0), self.told(state, problem, key))

    def learn(self, env: MetaEnv, state: Learner, trials: Trial, key: PRNGKeyArray) -> tuple[Learner, Metrics]:
        """Gradient steps on replayed trials, or on these."""
        return self.replayed(env, state, trials, key) if self.learner == "q" else self._on_fresh(state, trials, key)

    def interest(self, nets: Networks, trials: Trial) -> Float[Array, " batch"]:
        """All trials are alike."""
        return jnp.zeros(len(trials.problem))

    def schedules(self) -> dict[str, float]:
        """None."""
        return {}

    # What the return is.

    def counted(self, lived: TrialSequence) -> Float[Array, "batch time"]:
        """The rewards that count."""
        return lived.tape.rewards if self.objective == "all" else lived.tape.rewards * lived.exploiting

    def discounts(self, lived: TrialSequence) -> Float[Array, "batch time"]:
        """γ, and 0 at the end of the trial; the end of an episode ends nothing."""
        return self.discount * jnp.pad(lived.tape.mask[:, 1:], ((0, 0), (0, 1)))

    # Q-learning.

    def loss(
        self, nets: Networks, state: Learner, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Findings]:
        """Q(λ) on the trial as one episode, and what the beliefs are learnt by."""
        recalled = recall(nets.actor, batch, self.see_rewards)
        beliefs = self.beliefs(nets, recalled, batch, key)
        q = nets.actor.head(self._thoughts(nets.actor, recalled, beliefs))
        judge = self._judge(state, batch, key) if self.double else q
        values = jnp.pad(greedy_value(q, judge)[:, 1:], ((0, 0), (0, 1)))
        played, lived = recalled.tape, recalled.life
        policy = q_loss(q, values, self.counted(lived), self.discounts(lived), played.actions, played.mask, self.trace)
        metrics = {"loss": policy + beliefs.loss, "policy_loss": policy, **beliefs.metrics}
        return metrics["loss"], Findings(metrics, jnp.zeros(len(batch.problem)))

    def _judge(self, state: Learner, batch: Trial, key: PRNGKeyArray) -> Float[Array, "batch time actions"]:
        """Action values by the averaged networks."""
        recalled = recall(state.average.actor, batch, self.see_rewards)
        beliefs = self.beliefs(state.average, recalled, batch, key)
        return state.average.actor.head(self._thoughts(state.average.actor, recalled, beliefs))

    # Policy gradients.

    def ppo_loss(self, nets: Networks, lessons: Lessons, key: PRNGKeyArray) -> tuple[Float[Array, ""], Metrics]:
        """The clipped surrogate, the value's squared error, the entropy, and what the beliefs are learnt by."""
        said, value, recalled, beliefs = self._speak(nets, lessons.trials, key)
        played = recalled.tape
        advantage = normalised(lessons.advantages, played.mask)
        chosen = said.log_probability(played.actions)
        policy = clipped_loss(chosen, lessons.log_probabilities, advantage, played.mask, self.clip)
        critic = masked_mean((value - lessons.returns) ** 2, played.mask)
        entropy = masked_mean(said.entropy(), played.mask)
        loss = policy + self.value_weight * critic - self.entropy * entropy + beliefs.loss
        metrics = {"loss": loss, "policy_loss": policy, "value_loss": critic, "entropy": entropy, **beliefs.metrics}
        return loss, metrics

    def _on_fresh(self, state: Learner, trials: Trial, key: PRNGKeyArray) -> tuple[Learner, Metrics]:
        """Note what the policy thought when it lived these trials, then pass through them again and again."""
        note_key, pass_key = jax.random.split(key)
        said, value, recalled, _ = self._speak(state.nets, trials, note_key)
        played, lived = recalled.tape, recalled.life
        rewards, discounts = self.counted(lived), self.discounts(lived)
        gained = jax.vmap(advantages, (0, 0, 0, None))(rewards, discounts, value, self.trace)
        lessons = Lessons(trials, said.log_probability(played.actions), gained, gained + value)
        return passes(self, self.ppo_loss, state, lessons, pass_key)

    def _speak(
        self, nets: Networks, trials: Trial, key: PRNGKeyArray
    ) -> tuple[Distribution, Float[Array, "batch time"], Recalled, Beliefs]:
        """Policy and value before each step, and what they came from."""
        recalled = recall(nets.actor, trials, self.see_rewards)
        beliefs = self.beliefs(nets, recalled, trials, key)
        thoughts, head = self._thoughts(nets.actor, recalled, beliefs), nets.actor.head
        return head.policy(thoughts), head.value(thoughts), recalled, beliefs

    def _thoughts(self, actor: Actor, recalled: Recalled, beliefs: Beliefs) -> Float[Array, "batch time hidden"]:
        """The policy's last hidden layer before each step."""
        return actor.think(beliefs.belief[:, :-1], recalled.transitions.before)

    # What they are made of.

    def build_actor(self, env: MetaEnv, belief: Belief) -> Actor:
        """What acts, for the spaces of `env`, yet to be drawn."""
        sizes = Sizes(self.width, self.memory, self.policy_width)
        return build_actor(env, sizes, belief, self.learner, self.random_actions)

    def _agent(self, actor: Actor, explorer_epsilon: Array, told: Told | None) -> RecurrentAgent:
        epsilon = jnp.array([self.epsilon_low, self.epsilon_high])
        return RecurrentAgent(actor, epsilon, explorer_epsilon, self.see_rewards, told)
