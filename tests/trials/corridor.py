"""A family and an agent that write down what happens to them."""

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step
from scoutrl.trials.agent import Agent, Phase

Discrete = gymnasium.spaces.Discrete
SILENT = -1
ENCODED = 20


class Corridor(MetaEnv):
    """In problem p an episode ends after p + 1 steps, and pays 1 + its number of steps in each; goals are 7.

    Observations count the steps. The last step of an even problem is a termination, of an odd one a truncation, and
    in problem 3 the horizon ends the episode before anything else does.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        self.problems = ProblemSet([0, 1, 2, 5], [0, 1], [2, 3])
        self.spaces = Spaces(Discrete(10), Discrete(4), Discrete(9))
        self.horizon = 4

    def reset(self, problem, key):
        return (problem[0], jnp.int32(0)), jnp.int32(0)

    def goal(self, state):
        return jnp.int32(7)

    def step(self, state, action, key):
        problem, steps = state
        over = steps >= problem
        return (problem, steps + 1), Step(steps + 1, steps + 1.0, over & (problem % 2 == 0), over & (problem % 2 == 1))

    def render(self, state):
        return jnp.asarray(np.zeros((2, 2, 3), np.uint8))


class Diary(eqx.Module):
    steps: Array
    """Steps of the trial observed so far."""
    episodes: Array
    """Episodes begun so far."""
    goal: Array
    rewards: Array
    exploring: Array
    answer: Array
    """What was seen of the last step's observation."""


class Clerk(Agent):
    """Its action is the number of the episode; its diary is judged by what the actions show of it."""

    shows: str = eqx.field(static=True)

    def begin(self, key):
        return Diary(jnp.int32(0), jnp.int32(0), jnp.int32(SILENT), jnp.float32(0), jnp.bool_(True), jnp.int32(0))

    def begin_episode(self, memory, phase, goal, key):
        seen = jnp.int32(SILENT) if goal is None else goal
        exploring = jnp.bool_(phase == Phase.EXPLORATION)
        return Diary(memory.steps, memory.episodes + 1, seen, memory.rewards, exploring, memory.answer)

    def encode(self, observation):
        return ENCODED + observation

    def act(self, memory, features, key, greedy):
        if self.shows == "greedy":
            return jnp.int32(greedy), memory
        if self.shows == "features":
            return features, memory
        return getattr(memory, self.shows).astype(jnp.int32), memory

    def observe(self, memory, action, step):
        rewards = memory.rewards + step.reward
        return Diary(memory.steps + 1, memory.episodes, memory.goal, rewards, memory.exploring, step.observation)


class Quitter(Clerk):
    """Ends an exploration episode after two steps."""

    def ends(self, memory):
        return memory.exploring & (memory.steps % 3 == 2)


class Keeper(Clerk):
    """Keeps its diary's count and its action of every decision."""

    def keep(self, memory, action):
        return {"steps": memory.steps, "action": action}
