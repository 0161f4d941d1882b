"""A family with a known best return, in which half of the problem ID changes nothing."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.envs import MetaEnv, Problem, ProblemSet, Spaces, Step


class RoomState(eqx.Module):
    secret: Array
    goal: Array
    steps: Array


class Rooms(MetaEnv):
    """Action 0 shows the secret; in every step the action (secret + goal) mod 4 earns 1. Episodes last two steps.

    A problem is (secret, shade); nothing depends on the shade.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    shades: int = eqx.field(static=True)
    goals: int = eqx.field(static=True)
    tells_end: bool = eqx.field(static=True)
    reward: float = eqx.field(static=True)

    def __init__(
        self,
        shades: int = 2,
        goals: int = 2,
        tells_end: bool = True,
        reward: float = 1.0,
        train: list[int] | None = None,
        test: list[int] | None = None,
    ):
        ids = [(secret, shade) for secret in range(4) for shade in range(shades)]
        every = range(len(ids))
        self.problems = ProblemSet(ids, train or every, test or every, ["secret", "shade"])
        discrete = gymnasium.spaces.Discrete
        self.spaces = Spaces(discrete(5), discrete(4), discrete(goals))
        self.horizon, self.shades, self.goals, self.tells_end = 2, shades, goals, tells_end
        self.reward = reward

    def reset(self, problem: Problem, key):
        state = RoomState(problem[0], jax.random.randint(key, (), 0, self.goals), jnp.int32(0))
        return state, jnp.int32(0)

    def goal(self, state):
        return state.goal

    def step(self, state, action, key):
        right = action == (state.secret + state.goal) % 4
        seen = jnp.where(action == 0, state.secret + 1, 0)
        state = RoomState(state.secret, state.goal, state.steps + 1)
        return state, Step(
            seen, self.reward * right.astype(jnp.float32), jnp.bool_(False), (state.steps >= 2) & self.tells_end
        )

    def render(self, state):
        return jnp.asarray(np.zeros((2, 2, 3), np.uint8))
