"""Trials as a policy with one memory for the whole of them lives them: all at once, in one scan."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.algorithms.base import Metrics
from scoutrl.algorithms.recurrent.networks import Actor
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.trials.encode import seen
from scoutrl.trials.sequences import Transitions, TrialSequence, life
from scoutrl.trials.trial import Trial


class Recalled(eqx.Module):
    """Trials as the policy lives them."""

    life: TrialSequence
    """The steps, with features in place of observations."""
    transitions: TransitionFeatures
    """The same as the memory takes them in; `before` is what is seen when acting."""
    hidden: Float[Array, "batch time+1 hidden"]
    """The memory on every prefix, the empty one included."""

    @property
    def tape(self) -> Transitions:
        """The transitions as they happened."""
        return self.life.tape


class Beliefs(eqx.Module):
    """What the policy is given of its memory, and what else is to be learnt by it."""

    belief: Float[Array, "batch time+1 belief"]
    """On every prefix."""
    loss: Float[Array, ""]
    """To be descended together with the policy's loss."""
    metrics: Metrics
    """To be reported."""


def recall(actor: Actor, trials: Trial, see_rewards: bool) -> Recalled:
    """Step by step the same as an agent's `act` and `observe`; `see_rewards`: rewards of exploring are remembered."""
    exploration, exploitation = seen(actor.observe, trials.exploration), seen(actor.observe, trials.exploitation)
    lived = life(dataclasses.replace(trials, exploration=exploration, exploitation=exploitation))
    goal = actor.goal_features(lived.goals, lived.exploiting)
    before = actor.sight(lived.tape.before, goal, lived.exploiting, lived.starts)
    after = actor.sight(lived.tape.after, goal, lived.exploiting, jnp.zeros_like(lived.starts))
    rewards = lived.tape.rewards if see_rewards else lived.tape.rewards * lived.exploiting
    transitions = TransitionFeatures(before, actor.do(lived.tape.actions), rewards, after)
    return Recalled(lived, transitions, actor.history.scan(transitions))
