"""Tiny families that cover every kind of action, observation, goal and problem ID."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from jaxtyping import Array, Int

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Spec, Step


class Kind(NamedTuple):
    """What a family is made of; Discrete spaces, no goals and IDs of components where nothing else is said."""

    action: Space = Discrete(3)
    observation: Space = Discrete(3)
    goal: Space | None = None
    real: bool = False
    """Problem IDs are real vectors."""


_VECTOR = Box(np.array([-2, -np.inf], np.float32), np.array([4, np.inf], np.float32))
KINDS = {
    "goals": Kind(goal=Discrete(2)),
    "components": Kind(MultiDiscrete([2, 3]), MultiDiscrete([2, 3]), MultiDiscrete([2, 2])),
    "continuous": Kind(Box(np.array([-1, -2], np.float32), np.array([1, 3], np.float32)), _VECTOR, _VECTOR, True),
    "vectors": Kind(observation=_VECTOR, real=True),
    "images": Kind(observation=Box(0, 255, (20, 20, 3), np.uint8), goal=Discrete(2)),
}
SHADES = np.array([[[secret, shade] for secret in (0, 1)] for shade in (0, 1)])
"""IDs of problems in two shades, [shade, secret, 2]: those of one secret look the same."""


class State(eqx.Module):
    secret: Int[Array, ""]
    goal: Int[Array, ""]
    steps: Int[Array, ""]


class Probe(MetaEnv):
    """A problem is (secret, shade), 0 or 1 each, and nothing but its ID depends on the shade.

    An action counts as the sum of its entries, rounded up from 0. One that counts as 1 shows the secret; one that
    counts as 2 or more ends the episode, and pays where the goal is the secret; any other pays elsewhere.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    kind: str = eqx.field(static=True)

    def __init__(self, kind: str = "goals"):
        action, observation, goal, real = KINDS[kind]
        ids = SHADES.reshape(-1, 2)
        self.problems = ProblemSet(ids * 1.5 - 0.25 if real else ids, [0, 1, 3], [2], ["secret", "shade"])
        self.spaces, self.horizon, self.kind = Spaces(observation, action, goal), 3, kind

    def reset(self, problem, key):
        goal = jax.random.bernoulli(key).astype(jnp.int32)
        return State((problem[0] > 0).astype(jnp.int32), goal, jnp.int32(0)), element(self.spaces.observation, 0)

    def goal(self, state):
        return None if self.spaces.goal is None else element(self.spaces.goal, state.goal)

    def step(self, state, action, key):
        count = jnp.ceil(jnp.maximum(action, 0)).sum()
        ends, right = count >= 2, state.secret == (0 if self.spaces.goal is None else state.goal)
        seen = jnp.where(count == 1, 1 + state.secret, 0)
        state = State(state.secret, state.goal, state.steps + 1)
        reward = (ends == right).astype(jnp.float32)
        return state, Step(element(self.spaces.observation, seen), reward, ends, state.steps >= self.horizon)

    def render(self, state):
        return jnp.full((2, 2, 3), 100 * state.secret, jnp.uint8)


class Bare(Spec):
    """All that algorithms may know of another family: there is nothing that could be stepped."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self, of: Spec):
        self.problems, self.spaces, self.horizon = of.problems, of.spaces, of.horizon

    def sample_goal(self, key):
        space, code = self.spaces.goal, jax.random.bernoulli(key).astype(jnp.int32)
        return None if space is None else element(space, code)


def element(space: Space, code: Int[Array, ""] | int) -> Array:
    """An element of a space for each of the codes 0, 1 and 2; a space of two has 0 and 1 only."""
    code = jnp.asarray(code, jnp.int32)
    if isinstance(space, Discrete):
        return code
    if isinstance(space, MultiDiscrete):
        return jnp.stack([code % 2, code // 2])
    if space.dtype == np.uint8:
        return jnp.full(space.shape, 100 * code, jnp.uint8)
    return jnp.stack([code - 1.0, 2.0 * code])
