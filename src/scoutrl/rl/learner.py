"""How one policy acts and learns: what every algorithm asks of a learner, and no more.

A learner owns the last layer of a policy, its `Head`. The algorithm owns everything before it, and says what the return
is: `Steps` has the rewards and discounts.
"""

import abc
from typing import Any, ClassVar

import equinox as eqx
from gymnasium import Space
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from scoutrl.errors import ScoutError
from scoutrl.nn.init import Rng

Features = Float[Array, "*batch features"]
"""A policy's last hidden layer."""
Action = Any
"""An element of the action space, or many: any leading axes."""
Share = Float[Array, ""] | float
Noise = Any
"""What makes a policy try other actions in training: a pytree drawn at the start of a trial."""
Kept = Any
"""What a learner keeps of a decision, beside the action: a pytree, or None."""
Weights = Float[Array, " batch"] | None
"""Importance weights of the trials or trajectories of a batch; None if they are all 1."""
Outputs = Any
"""What a head computes: a pytree whose structure depends on the action space alone."""


class Head(eqx.Module):
    """A policy's last layer, made by its learner."""

    @abc.abstractmethod
    def __call__(self, features: Features) -> Outputs:
        """From the last hidden layer, with any leading axes, to what the learner acts on."""


class Steps(eqx.Module):
    """Steps in time order, as a learner sees them."""

    actions: Action
    """[batch, time, *action]: a_t."""
    rewards: Float[Array, "batch time"]
    """r_t: what counts, which need not be what the environment paid."""
    discounts: Float[Array, "batch time"]
    """γ_t, 0 where step t ended the return."""
    mask: Bool[Array, "batch time"]
    """Steps that took place; they come first."""
    kept: Kept = None
    """[batch, time, …]: what the learner kept when it acted; None of a learner that keeps nothing."""
    weight: Weights = None
    """Importance weights of trajectories from replay; None if they are all 1."""
    floor: float | None = eqx.field(static=True, default=None)
    """What it is worth to end the return, as the policy may anywhere; None if it may not. No state is worth less."""


class PolicyLearner(eqx.Module):
    """How one policy acts and learns. The fields are its hyper-parameters, each with a docstring."""

    discount: eqx.AbstractVar[float]
    """γ, from 0 to 1."""
    on_policy: ClassVar[bool] = False
    """Learns from fresh trials only; else from replayed ones."""
    name: ClassVar[str] = ""
    """As after `--set learner=`; for messages."""

    @abc.abstractmethod
    def head(self, features: int, space: Space, rng: Rng) -> Head:
        """Draw a head for features of that length and an action space.

        Raises:
            ScoutError: actions of this kind cannot be learnt, or a hyper-parameter does not fit them.
        """

    @abc.abstractmethod
    def noise(self, key: PRNGKeyArray, head: Any) -> Noise:
        """Draw the noise of a trial, for the actions of a head."""

    @abc.abstractmethod
    def bound(self, noise: Noise, least: Share, most: Share = 1.0) -> Noise:
        """The same noise with a share of `least` to `most` (each 0 … 1) of the actions being random.

        Learners whose policy is stochastic by itself may give it back as it is.
        """

    def advance(self, noise: Noise) -> Noise:
        """The noise at the next step of the trial: the same, unless it changes in the course of a trial."""
        return noise

    @abc.abstractmethod
    def act(self, outputs: Any, noise: Any, key: PRNGKeyArray, greedy: bool) -> Action:
        """Choose an action, given a head's outputs at one moment; `greedy` is static and leaves the noise out."""

    def worth(self, outputs: Any) -> Float[Array, "*batch"]:
        """What the state is worth by a head's outputs, if the policy acts in it.

        Raises:
            ScoutError: the outputs do not tell, of a learner that does not override this.
        """
        raise ScoutError(f"what learner={self.name} acts on does not tell what a state is worth")

    @abc.abstractmethod
    def keep(self, outputs: Any, action: Action) -> Kept:
        """What `loss` will want to know of this decision; None for learners that want nothing."""

    @abc.abstractmethod
    def loss(
        self,
        head: Any,
        target: Any,
        features: Float[Array, "batch time+1 features"],
        target_features: Float[Array, "batch time+1 features"],
        steps: Steps,
        key: PRNGKeyArray,
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """What is to be minimised on a batch of trajectories.

        Args:
            head: being learnt.
            target: the running average of the head.
            features: of what the policy sees before each step, and after the last; the gradient reaches them.
            target_features: the same by the running averages.
            steps: what was done and what it brought.
            key: draws what is random in the loss, if anything is.

        Returns:
            The loss and metrics to report.
        """
