"""The networks of the algorithms with one policy for the whole trial: encoders, a memory, a belief, a policy."""

import abc
from typing import final

import equinox as eqx
import jax.numpy as jnp
from gymnasium import Space
from jaxtyping import Array, Float

from scoutrl.algorithms.encoders import Encoders
from scoutrl.algorithms.policies import LAYERS, Conditioned, Conditioning, Joined
from scoutrl.envs.base import Goal
from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.init import Rng
from scoutrl.nn.recurrent import History
from scoutrl.rl.learner import Features, Head, PolicyLearner


class Belief(eqx.Module):
    """What the policy is given of the memory."""

    size: eqx.AbstractVar[int]
    """Length of the belief."""

    @abc.abstractmethod
    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch size"]:
        """From memory to belief."""


@final
class Sizes(eqx.Module):
    """How large the networks are."""

    width: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)
    cell: MemoryCell = eqx.field(static=True)
    policy_width: int = eqx.field(static=True)
    conditioning: Conditioning = eqx.field(static=True)


@final
class Actor(eqx.Module):
    """One policy for exploring and exploiting; its memory lasts from the first step of a trial to the last."""

    encode: Encoders
    """Encodes observations, actions and goals."""
    history: History
    """Recurrent over the transitions of the trial, of which goal, phase and start are a part."""
    belief: Belief
    """From memory to what the policy is given of it."""
    layers: Conditioned | Joined
    """From inputs and belief."""
    head: Head
    """To what the learner needs."""
    goal_while_exploring: bool = eqx.field(static=True)
    """Goals of exploration episodes are seen as well."""

    def __init__(
        self,
        encode: Encoders,
        action: Space,
        sizes: Sizes,
        belief: Belief,
        learner: PolicyLearner,
        goal_while_exploring: bool,
        rng: Rng,
    ):
        """Draw networks that see with `encode`, for an action space.

        Raises:
            ScoutError: actions that the learner cannot learn.
        """
        self.encode, width = encode, sizes.policy_width
        inputs = self.encode.seen + self.encode.goal_size + 2
        self.history = History(inputs, self.encode.action.size, sizes.width, sizes.memory, sizes.cell, rng)
        self.belief, self.goal_while_exploring = belief, goal_while_exploring
        self.layers = LAYERS[sizes.conditioning](inputs, belief.size, width, rng)
        self.head = learner.head(width, action, rng)

    def goals(self, goals: Goal, exploiting: Array) -> Features:
        """Features of goals with the leading axes of `exploiting`: zeros while exploring, unless they are seen."""
        features = self.encode.goals(goals, *exploiting.shape)
        return features if self.goal_while_exploring else features * exploiting[..., None]

    def inputs(self, observation: Features, goal: Features, exploiting: Array, is_first: Array) -> Features:
        """All that the policy sees at one moment: observation, goal, the phase, whether an episode begins."""
        flags = jnp.stack([exploiting, is_first], axis=-1).astype(jnp.float32)
        return jnp.concatenate([observation, goal, flags], axis=-1)

    def features(self, belief: Features, inputs: Features) -> Features:
        """The policy's last hidden layer."""
        return self.layers(inputs, belief)
