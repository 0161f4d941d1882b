"""Learning one policy for the whole trial, end to end.

The trial is one long episode: the memory is kept, and the value after an episode's last step is the value before the
next one's first. The end of the trial ends the return. What an algorithm of this kind has of its own is how it comes
from memory to belief: `beliefs`.
"""

import abc
from typing import Literal

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.gradient import GradientAlgorithm, Networks
from scoutrl.algorithms.off_policy import LossAux, replay_setting
from scoutrl.algorithms.policies import Conditioning
from scoutrl.algorithms.recurrent.agent import PrivilegedBelief, RecurrentAgent
from scoutrl.algorithms.recurrent.networks import Actor, Belief, Sizes
from scoutrl.algorithms.recurrent.unroll import Beliefs, Unrolled, policy_features, unroll
from scoutrl.envs import Problem, Spec
from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.init import Rng
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import Features, Steps
from scoutrl.trials.sequences import TrialSequence
from scoutrl.trials.trial import Trial

Objective = Literal["exploitation", "all"]
"""Whose reward is optimised: that of the exploitation episodes, or that of all episodes."""


class EndToEnd(GradientAlgorithm):
    """An algorithm with one policy for the whole trial."""

    objective: Objective = "exploitation"
    """Whose reward is optimised: exploitation (that of exploring is seen but does not count), or all."""
    see_rewards: bool = True
    """Rewards are seen while exploring."""
    goal_while_exploring: bool = False
    """The goal of an exploration episode is seen as well: that of the next episode may be another."""
    warmup: int = replay_setting(200)
    """Iterations in which the share of random actions while exploring falls from 1 to its own."""
    width: int = 64
    """Width of the layer before the memory."""
    memory_size: int = 64
    """Length of the recurrent memory."""
    memory_cell: MemoryCell = "linear"
    """Kind of memory: linear in its own state (minGRU), which is quick at any horizon, or a GRU."""
    policy_width: int = 128
    """Width of the policy."""
    conditioning: Conditioning = "scaled"
    """How the policy takes in its belief or memory: scaled, by a factor and a term in its second layer, as DREAM's
    policy takes in z; or joined to what it sees, with a layer less."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="width memory_size policy_width", not_negative="warmup")

    @abc.abstractmethod
    def beliefs(self, networks: Networks, unrolled: Unrolled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """From memory to belief, on every prefix of a batch of trials; `networks.actor` is what acts."""

    @abc.abstractmethod
    def privileged(self, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> PrivilegedBelief | None:
        """A belief from the problem ID for an agent that collects a training trial; None: the ID is never used."""

    def agent(self, spec: Spec, state: AlgorithmState) -> RecurrentAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return RecurrentAgent(state.targets.actor, self.learner, self.see_rewards)

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> RecurrentAgent:
        """The agent of the current weights; early on it explores at random."""
        random, privileged = self.ramp_down(state, self.warmup), self.privileged(state, problem, key)
        return RecurrentAgent(state.networks.actor, self.learner, self.see_rewards, random, privileged)

    # The objective.

    def counted(self, sequence: TrialSequence) -> Float[Array, "batch time"]:
        """The rewards that count."""
        rewards = sequence.transitions.rewards
        return rewards if self.objective == "all" else rewards * sequence.exploiting

    def discounts(self, sequence: TrialSequence) -> Float[Array, "batch time"]:
        """γ, and 0 where the trial ends and its last return with it; the end of another episode ends nothing."""
        moved = sequence.transitions
        return self.learner.discount * (moved.not_last | ~moved.ended)

    def loss(
        self, networks: Networks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """The learner's loss on the trial as one episode, and what the beliefs are learnt by."""
        features, unrolled, beliefs = self._unroll(networks, batch, key)
        target_features, _, _ = self._unroll(state.targets, batch, key)
        sequence, moved = unrolled.sequence, unrolled.transitions
        weight = batch.weight_unless(beliefs.told)
        steps = Steps(moved.actions, self.counted(sequence), self.discounts(sequence), moved.mask, moved.kept, weight)
        head, target = networks.actor.head, state.targets.actor.head
        own = jax.random.fold_in(key, 2)
        policy, metrics = self.learner.loss(head, target, features, target_features, steps, own)
        metrics = {"loss": policy + beliefs.loss, "policy_loss": policy, **metrics, **beliefs.metrics}
        return metrics["loss"], LossAux(metrics)

    def _unroll(self, networks: Networks, batch: Trial, key: PRNGKeyArray) -> tuple[Features, Unrolled, Beliefs]:
        unrolled = unroll(networks.actor, batch, self.see_rewards)
        beliefs = self.beliefs(networks, unrolled, batch, key)
        return policy_features(networks.actor, unrolled, beliefs), unrolled, beliefs

    def build_actor(self, spec: Spec, belief: Belief, rng: Rng) -> Actor:
        """Draw what acts, for the spaces of a family."""
        sizes = Sizes(self.width, self.memory_size, self.memory_cell, self.policy_width, self.conditioning)
        encode, action = self.encoders(spec, rng), spec.spaces.action
        return Actor(encode, action, sizes, belief, self.learner, self.goal_while_exploring, rng)
