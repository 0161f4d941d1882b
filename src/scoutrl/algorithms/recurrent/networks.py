"""What acts in the algorithms with one policy for the whole trial: senses, a memory, a belief, a policy."""

import abc
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.envs import MetaEnv
from scoutrl.envs.base import Action, Goal
from scoutrl.errors import ScoutError
from scoutrl.nn.encoders import Encoder, encoder_for
from scoutrl.nn.heads import Duelling
from scoutrl.nn.linear import Linear
from scoutrl.nn.recurrent import History
from scoutrl.rl.distributions import Categorical, CensoredGaussian, Distribution
from scoutrl.rl.q_learning import epsilon_greedy

Features = Float[Array, "*batch features"]
LearnerName = Literal["q", "ppo"]


class Head(eqx.Module):
    """From the policy's last hidden layer to actions."""

    @abc.abstractmethod
    def choose(self, x: Features, epsilon: Array, key: PRNGKeyArray, greedy: bool) -> Action:
        """An action; `greedy` is without the noise of training, of which `epsilon` is a share of random actions."""


class ActionValues(Head):
    """Q(s, ·), for Q-learning."""

    values: Duelling
    random_actions: tuple[float, ...] = eqx.field(static=True)
    """How likely each action is when acting at random, as weights; without any, all alike."""

    def __call__(self, x: Features) -> Float[Array, "*batch actions"]:
        """Action values."""
        return self.values(x)

    def choose(self, x: Features, epsilon: Array, key: PRNGKeyArray, greedy: bool) -> Action:
        """ε-greedy."""
        return epsilon_greedy(self.values(x), jnp.where(greedy, 0.0, epsilon), key, self.random_actions)


class ActorCritic(Head):
    """π(·|s) and V(s), for policy gradients."""

    parameters: Linear
    """To the distribution's parameters."""
    critic: Linear
    """To V."""
    spread: Float[Array, " coordinates"]
    """Logarithm of the standard deviations of a Gaussian, in quarters of the box; empty where actions are discrete."""
    space: Space = eqx.field(static=True)
    """Of actions."""

    def __init__(self, width: int, space: Discrete | Box):
        count = int(space.n) if isinstance(space, Discrete) else int(np.prod(space.shape))
        self.parameters, self.critic = Linear(width, count, gain=0.01), Linear(width, 1, gain=1.0)
        self.spread, self.space = jnp.zeros(0 if isinstance(space, Discrete) else count), space

    def policy(self, x: Features) -> Distribution:
        """π(·|s)."""
        parameters = self.parameters(x)
        if not isinstance(self.space, Box):
            return Categorical(parameters)
        low, high = jnp.asarray(self.space.low), jnp.asarray(self.space.high)
        mean = (high + low) / 2 + (high - low) / 2 * parameters
        deviation = jnp.broadcast_to((high - low) / 4 * jnp.exp(self.spread), mean.shape)
        return CensoredGaussian(mean, deviation, tuple(self.space.low.tolist()), tuple(self.space.high.tolist()))

    def value(self, x: Features) -> Float[Array, "*batch"]:
        """V(s)."""
        return self.critic(x)[..., 0]

    def choose(self, x: Features, epsilon: Array, key: PRNGKeyArray, greedy: bool) -> Action:
        """A draw from the policy, or its mode; it brings its own noise, and `epsilon` is not used."""
        return self.policy(x).mode() if greedy else self.policy(x).sample(key)


class Belief(eqx.Module):
    """What the policy is given of the memory."""

    size: eqx.AbstractVar[int]
    """Length of the belief."""

    @abc.abstractmethod
    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch size"]:
        """From memory to belief."""


class Actor(eqx.Module):
    """One policy for exploring and exploiting; its memory lasts from the first step of a trial to the last."""

    observe: Encoder
    """Encodes observations."""
    instruct: Encoder | None
    """Encodes goals; None without goals."""
    do: Encoder
    """Encodes actions done."""
    history: History
    """Recurrent over the transitions of the trial, of which goal, phase and start are a part."""
    belief: Belief
    """From memory to what the policy is given of it."""
    look: Linear
    """From belief and sight."""
    hidden: Linear
    """A second hidden layer: one is not enough to combine belief, goal and place."""
    head: Head

    @property
    def goal_size(self) -> int:
        """Length of a goal's features."""
        return 0 if self.instruct is None else self.instruct.size

    def goal_features(self, goal: Goal, exploiting: Array) -> Features:
        """Features of a goal: zeros while exploring, with no features at all where there are no goals."""
        if self.instruct is None or goal is None:
            return jnp.zeros((*exploiting.shape, self.goal_size))
        return self.instruct(goal) * exploiting[..., None]

    def sight(self, observation: Features, goal: Features, exploiting: Array, starts: Array) -> Features:
        """All there is to see at one moment: features of observation and goal, the phase, whether an episode begins."""
        flags = jnp.stack([exploiting, starts], axis=-1).astype(jnp.float32)
        return jnp.concatenate([observation, goal, flags], axis=-1)

    def think(self, belief: Features, sight: Features) -> Features:
        """The policy's last hidden layer."""
        x = jax.nn.relu(self.look(jnp.concatenate([belief, sight], axis=-1)))
        return jax.nn.relu(self.hidden(x))


class Sizes(eqx.Module):
    """How large the networks are."""

    width: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)
    policy_width: int = eqx.field(static=True)


def build_actor(
    env: MetaEnv, sizes: Sizes, belief: Belief, learner: LearnerName, random_actions: tuple[float, ...]
) -> Actor:
    """Networks for the spaces of `env`, yet to be drawn (`randomise`); `random_actions` are for Q-learning.

    Raises:
        ScoutError: a space no encoder reads, or actions that the learner cannot learn.
    """
    spaces, width = env.spaces, sizes.policy_width
    observe, do = encoder_for(spaces.observation), encoder_for(spaces.action)
    instruct = None if spaces.goal is None else encoder_for(spaces.goal)
    sight = observe.size + (instruct.size if instruct else 0) + 2
    return Actor(
        observe=observe,
        instruct=instruct,
        do=do,
        history=History(sight, do.size, sizes.width, sizes.memory),
        belief=belief,
        look=Linear(belief.size + sight, width),
        hidden=Linear(width, width),
        head=_head(env, width, learner, random_actions),
    )


def _head(env: MetaEnv, width: int, learner: LearnerName, random_actions: tuple[float, ...]) -> Head:
    space, name = env.spaces.action, type(env).__name__
    if isinstance(space, Discrete):
        if learner == "ppo":
            return ActorCritic(width, space)
        return ActionValues(Duelling(width, int(space.n)), random_actions)
    if not isinstance(space, Box):
        raise ScoutError(f"actions must be Discrete or a Box; the action space of {name} is a {type(space).__name__}")
    if learner == "q":
        raise ScoutError(f"Q-learning needs Discrete actions; those of {name} are a Box: use learner=ppo")
    return ActorCritic(width, space)
