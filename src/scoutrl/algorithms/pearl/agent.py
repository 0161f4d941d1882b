"""PEARL's networks and agent: the eight lines of posterior sampling."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from gymnasium.spaces import Discrete
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.dream.networks import Policy
from scoutrl.envs import MetaEnv, Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.errors import ScoutError
from scoutrl.nn.encoders import Encoder, encoder_for
from scoutrl.nn.gaussian import Factor, Inference
from scoutrl.nn.heads import Duelling
from scoutrl.nn.linear import Linear
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.q_learning import epsilon_greedy
from scoutrl.trials.agent import Agent, Phase, Sight


class PearlNets(eqx.Module):
    """All that is learnt; none of it has ever a problem ID for input."""

    observe: Encoder
    """Encodes observations."""
    instruct: Encoder | None
    """Encodes goals; None without goals."""
    inference: Inference
    """q_φ(z | experiences), transition by transition."""
    policy: Policy
    """π_θ(a | s, g, z)."""

    @property
    def actions(self) -> int:
        """Number of actions."""
        return self.policy.head.advantage.bias.shape[-1]

    @property
    def no_goal(self) -> Float[Array, " goal"]:
        """The features of a hidden goal."""
        return jnp.zeros(0 if self.instruct is None else self.instruct.size)


def build(env: MetaEnv, z: int, width: int, policy_width: int) -> PearlNets:
    """Networks for the spaces of `env`, yet to be drawn (`randomise`).

    Raises:
        ScoutError: a space no encoder reads, or actions that are not discrete.
    """
    spaces = env.spaces
    if not isinstance(spaces.action, Discrete):
        kind = type(spaces.action).__name__
        raise ScoutError(f"PEARL learns Discrete actions only; the action space of {type(env).__name__} is a {kind}")
    actions = int(spaces.action.n)
    observe = encoder_for(spaces.observation)
    instruct = None if spaces.goal is None else encoder_for(spaces.goal)
    policy = Policy(
        None,
        look=Linear(observe.size + (instruct.size if instruct else 0), policy_width),
        scale=Linear(z, policy_width, gain=1.0),
        task=Linear(z, policy_width, gain=1.0),
        hidden=[Linear(policy_width, policy_width), Linear(policy_width, policy_width)],
        head=Duelling(policy_width, actions),
    )
    return PearlNets(observe, instruct, Inference(observe.size, actions, width, z), policy)


class PearlMemory(eqx.Module):
    """What the agent keeps within a trial."""

    experiences: Factor
    """What all transitions so far say of z: their order is no matter, so their product is all there is to keep."""
    z: Array
    """The draw of this episode."""
    goal: Array
    """The goal's features; zeros while it is hidden."""
    observation: Array
    """Features of the last observation acted on."""
    epsilon: Array
    """Share of random actions in this trial, when not greedy."""


class PearlAgent(Agent):
    """Posterior sampling: exploring or exploiting, play the problem that was drawn.

    The numbers are the lines of the algorithm. Lines 1 and 2 (draw a problem, make its environment) and 7 (step it) are
    `scoutrl.trials.rollout`'s.
    """

    nets: PearlNets
    epsilon: Float[Array, "2"]
    """Lowest and highest share of random actions; a trial's own is drawn between them, evenly in its logarithm."""
    random_actions: tuple[float, ...] = eqx.field(static=True, default=())
    """How likely each action is when acting at random; all alike without weights."""

    def begin(self, key: PRNGKeyArray) -> PearlMemory:
        """Line 3: experiences = set()."""
        low, high = jnp.log(self.epsilon)
        return PearlMemory(
            experiences=self.nets.inference.nothing(),
            z=jnp.zeros(self.nets.inference.size),
            goal=self.nets.no_goal,
            observation=jnp.zeros(self.nets.observe.size),
            epsilon=jnp.exp(jax.random.uniform(key, minval=low, maxval=high)),
        )

    def begin_episode(self, memory: PearlMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> PearlMemory:
        """Lines 4 and 5: for every episode, z ~ q_φ(z | experiences)."""
        z = memory.experiences.belief().draw(key)
        instruct = self.nets.instruct
        features = self.nets.no_goal if goal is None or instruct is None else instruct(jnp.asarray(goal))
        return dataclasses.replace(memory, z=z, goal=features)

    def look(self, observation: Observation) -> Sight:
        """Features."""
        return self.nets.observe(jnp.asarray(observation))

    def act(self, memory: PearlMemory, sight: Sight, key: PRNGKeyArray, greedy: bool) -> tuple[Action, PearlMemory]:
        """Line 6: a ~ π_θ(a | s, g, z), ε-greedy."""
        memory = dataclasses.replace(memory, observation=sight)
        q = self.nets.policy(None, sight, memory.goal, memory.z)
        return epsilon_greedy(q, jnp.where(greedy, 0.0, memory.epsilon), key, self.random_actions), memory

    def observe(self, memory: PearlMemory, action: Action, step: Step) -> PearlMemory:
        """Line 8: experiences.add((s, a, r, s'))."""
        reward = jnp.asarray(step.reward, jnp.float32)
        action = jax.nn.one_hot(action, self.nets.actions)
        factor = self.nets.inference(TransitionFeatures(memory.observation, action, reward, step.observation))
        return dataclasses.replace(memory, experiences=memory.experiences * factor)
