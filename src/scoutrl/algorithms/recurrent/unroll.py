"""Unroll a recurrent policy over stored trials: the same as acting step by step, in one scan."""

from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.algorithms.base import Metrics
from scoutrl.algorithms.recurrent.networks import Actor
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.learner import Features
from scoutrl.trials.sequences import Transitions, TrialSequence, trial_sequence
from scoutrl.trials.trial import Trial


@final
class Unrolled(eqx.Module):
    """Trials as the policy met them."""

    sequence: TrialSequence
    """The steps."""
    features: TransitionFeatures
    """The same as the memory takes them in; `before` is what the policy sees when it acts."""
    hidden: Float[Array, "batch time+1 hidden"]
    """The memory on every prefix, the empty one included."""

    @property
    def transitions(self) -> Transitions:
        """The transitions as they happened."""
        return self.sequence.transitions


@final
class Beliefs(eqx.Module):
    """What the policy is given of its memory, and what else is to be learnt by it."""

    belief: Float[Array, "batch time+1 belief"]
    """On every prefix."""
    loss: Float[Array, ""]
    """To be descended together with the policy's loss."""
    metrics: Metrics
    """To be reported."""
    told: Bool[Array, " batch"] | bool = False
    """Whether the belief was told the problem, so that luck cannot look like skill."""


def unroll(actor: Actor, trials: Trial, see_rewards: bool) -> Unrolled:
    """Step by step the same as an agent's `act` and `observe`; `see_rewards`: rewards of exploring are remembered."""
    phases = (actor.encode.episodes(episodes) for episodes in (trials.exploration, trials.exploitation))
    sequence = trial_sequence(*phases)
    moved, exploiting = sequence.transitions, sequence.exploiting
    goal = actor.goals(sequence.goals, exploiting)
    before = actor.inputs(moved.before, goal, exploiting, sequence.is_first)
    after = actor.inputs(moved.after, goal, exploiting, jnp.zeros_like(sequence.is_first))
    rewards = moved.rewards if see_rewards else moved.rewards * exploiting
    features = TransitionFeatures(before, actor.encode.action(moved.actions), rewards, after)
    return Unrolled(sequence, features, actor.history.scan(features))


def policy_features(actor: Actor, unrolled: Unrolled, beliefs: Beliefs) -> Features:
    """The policy's last hidden layer before each step, and after the last, [batch, time + 1, …]."""
    before, after = (
        jnp.pad(x, ((0, 0), pad, (0, 0)))
        for x, pad in ((unrolled.features.before, (0, 1)), (unrolled.features.after, (1, 0)))
    )
    going_on = jnp.pad(unrolled.transitions.mask, ((0, 0), (0, 1)))
    return actor.features(beliefs.belief, jnp.where(going_on[..., None], before, after))
