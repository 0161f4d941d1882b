"""MetaCURE's networks and agent: an exploration policy of its own, then posterior sampling as in PEARL."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.dream.networks import Explorer
from scoutrl.algorithms.pearl.agent import PearlAgent, PearlMemory, PearlNets
from scoutrl.algorithms.pearl.agent import build as build_pearl
from scoutrl.envs import MetaEnv, Step
from scoutrl.envs.base import Action, Goal, Observation
from scoutrl.nn.heads import Duelling
from scoutrl.nn.linear import Linear
from scoutrl.nn.prediction import Predictor
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.nn.recurrent import History, TransitionFeatures
from scoutrl.rl.q_learning import epsilon_greedy
from scoutrl.trials.agent import Agent, Phase, Sight


class Sizes(eqx.Module):
    """How large the networks are."""

    z: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)
    policy_width: int = eqx.field(static=True)


class Curiosity(eqx.Module):
    """The two predictors that an explorer's reward is made of, used in training only."""

    encoder: ProblemEncoder
    """What the second predictor is told of the problem's ID."""
    told: Predictor
    """ŷ_problem."""
    history: History
    """What the first predictor remembers of the context so far."""
    untold: Predictor
    """ŷ_context."""


class MetaCureNets(eqx.Module):
    """All that is learnt."""

    curiosity: Curiosity
    """Used in training only."""
    explorer: Explorer
    """π_e, the exploration policy."""
    sampler: PearlNets
    """q_φ and the exploitation policy π_θ."""


def build(env: MetaEnv, sizes: Sizes) -> MetaCureNets:
    """Networks for the spaces and problems of `env`, yet to be drawn (`randomise`).

    Raises:
        ScoutError: a space no encoder reads, or actions that are not discrete.
    """
    sampler = build_pearl(env, sizes.z, sizes.width, sizes.policy_width)
    seen, actions, width, memory = sampler.observe.size, sampler.actions, sizes.width, sizes.memory
    curiosity = Curiosity(
        ProblemEncoder(env.problems, width, 1.0),
        Predictor(seen, actions, width, width),
        History(seen, actions, width, memory),
        Predictor(seen, actions, memory, width),
    )
    explorer = Explorer(History(seen, actions, width, memory), Linear(memory + seen, width), Duelling(width, actions))
    return MetaCureNets(curiosity, explorer, sampler)


class MetaCureMemory(eqx.Module):
    """What the agent keeps within a trial."""

    phase: Phase = eqx.field(static=True)
    explored: Array
    """The explorer's memory of the exploration episodes."""
    sampled: PearlMemory
    """The context, and the draw of this episode."""


class MetaCureAgent(Agent):
    """Explore with π_e, then sample z ~ q_φ(z | context) and exploit with π_θ(·|·, z)."""

    explorer: Explorer
    sampler: PearlAgent
    explorer_epsilon: Float[Array, ""]
    """The explorer acts at random at least this often, when not greedy."""

    def begin(self, key: PRNGKeyArray) -> MetaCureMemory:
        """Nothing is known."""
        return MetaCureMemory(Phase.EXPLORATION, self.explorer.history.initial(), self.sampler.begin(key))

    def begin_episode(self, memory: MetaCureMemory, phase: Phase, goal: Goal, key: PRNGKeyArray) -> MetaCureMemory:
        """z ~ q_φ(z | context), which exploring makes no use of."""
        return MetaCureMemory(phase, memory.explored, self.sampler.begin_episode(memory.sampled, phase, goal, key))

    def look(self, observation: Observation) -> Sight:
        """Features."""
        return self.sampler.look(observation)

    def act(
        self, memory: MetaCureMemory, sight: Sight, key: PRNGKeyArray, greedy: bool
    ) -> tuple[Action, MetaCureMemory]:
        """ε-greedy on the action values of the phase's policy."""
        action, sampled = self.sampler.act(memory.sampled, sight, key, greedy)
        memory = dataclasses.replace(memory, sampled=sampled)
        if memory.phase == Phase.EXPLOITATION:
            return action, memory
        q = self.explorer(memory.explored, sampled.observation)
        epsilon = jnp.where(greedy, 0.0, jnp.maximum(sampled.epsilon, self.explorer_epsilon))
        return epsilon_greedy(q, epsilon, key, self.sampler.random_actions), memory

    def observe(self, memory: MetaCureMemory, action: Action, step: Step) -> MetaCureMemory:
        """Add the transition to the context, and while exploring to the explorer's memory."""
        sampled, explored = self.sampler.observe(memory.sampled, action, step), memory.explored
        if memory.phase == Phase.EXPLORATION:
            nets, reward = self.sampler.nets, jnp.asarray(step.reward, jnp.float32)
            taken = jax.nn.one_hot(action, nets.actions)
            transition = TransitionFeatures(sampled.observation, taken, reward, step.observation)
            explored = self.explorer.history.step(explored, transition)
        return MetaCureMemory(memory.phase, explored, sampled)
