"""What an agent weighs when it acts, seen by a learner that stands in for its own; for people who look on."""

import functools
from typing import Any, final

import equinox as eqx
import jax
from gymnasium import Space
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.envs.base import Action
from scoutrl.nn.init import Rng
from scoutrl.rl import ppo, q_lambda
from scoutrl.rl.distributions import Categorical
from scoutrl.rl.learner import Head, Kept, Noise, PolicyLearner, Share, Steps
from scoutrl.trials.agent import Agent, Features, Memory
from scoutrl.trials.wrapped import WrappedAgent


@functools.singledispatch
def preferences(outputs: Any) -> Float[Array, "components most"] | None:
    """How much each choice is preferred, by what a head computed at one moment; None if that cannot be said.

    Values of Q-learning, probabilities of a policy over numbered actions. New kinds of outputs register themselves.
    """
    return None


@preferences.register
def _(outputs: q_lambda.Outputs) -> Float[Array, "components most"]:
    return outputs.utilities


@preferences.register
def _(outputs: ppo.Outputs) -> Float[Array, "components most"] | None:
    return jax.nn.softmax(outputs.policy.logits) if isinstance(outputs.policy, Categorical) else None


@final
class WatchedAgent(WrappedAgent):
    """Acts as `agent` does, and keeps of each decision the `preferences` of its learner; None if there are none.

    To be made in the function that is traced, and used there: what it notes belongs to that trace.
    """

    agent: Agent
    notes: list[Any] = eqx.field(static=True)
    """What the learner was given in the decision that is being made."""

    def __init__(self, agent: Agent):
        """Watch `agent`, whose learners are replaced by ones that take notes."""
        self.notes = []
        self.agent = jax.tree.map(
            lambda node: _NotingLearner(node, self.notes) if isinstance(node, PolicyLearner) else node,
            agent,
            is_leaf=lambda node: isinstance(node, PolicyLearner),
        )

    def act(self, memory: Memory, features: Features, key: PRNGKeyArray, greedy: bool) -> tuple[Action, Memory]:
        """As the agent; its learner takes notes."""
        self.notes.clear()
        return self.agent.act(memory, features, key, greedy)

    def keep(self, memory: Memory, action: Action) -> Float[Array, "components most"] | None:
        """What was weighed."""
        return preferences(self.notes[-1]) if self.notes else None


@final
class _NotingLearner(PolicyLearner):
    """Acts as `learner` does, and notes what it is given to choose by."""

    learner: PolicyLearner
    notes: list[Any] = eqx.field(static=True)
    discount: float

    def __init__(self, learner: PolicyLearner, notes: list[Any]):
        self.learner, self.notes, self.discount = learner, notes, learner.discount

    def head(self, features: int, space: Space, rng: Rng) -> Head:
        return self.learner.head(features, space, rng)

    def noise(self, key: PRNGKeyArray, head: Any) -> Noise:
        return self.learner.noise(key, head)

    def bound(self, noise: Noise, least: Share, most: Share = 1.0) -> Noise:
        return self.learner.bound(noise, least, most)

    def advance(self, noise: Noise) -> Noise:
        return self.learner.advance(noise)

    def worth(self, outputs: Any) -> Float[Array, "*batch"]:
        return self.learner.worth(outputs)

    def act(self, outputs: Any, noise: Any, key: PRNGKeyArray, greedy: bool) -> Action:
        self.notes.append(outputs)
        return self.learner.act(outputs, noise, key, greedy)

    def keep(self, outputs: Any, action: Action) -> Kept:
        return self.learner.keep(outputs, action)

    def loss(
        self, head: Any, target: Any, features: Array, target_features: Array, steps: Steps, key: PRNGKeyArray
    ) -> tuple[Array, dict[str, Array]]:
        return self.learner.loss(head, target, features, target_features, steps, key)
