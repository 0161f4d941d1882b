"""Tiny families whose best return is known, for learning algorithms to be tried on.

All of them are tables of the same shapes, so that one compiled program trains on any of them.
"""

import itertools

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step

ACTIONS = 5
SECRETS, SHADES, ACTION = np.ogrid[:4, :4, :ACTIONS]


class Tables(MetaEnv):
    """A problem is (secret, shade), 0 … 3 each; what an action does depends on the problem and on nothing else.

    A quarter of the problems, with every secret and every shade among them, are kept for the test.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    shown: Int[Array, "secrets shades actions"]
    """The observation after each action, 0 … 8; it is 0 before any."""
    pays: Float[Array, "secrets shades actions"]
    ends: Bool[Array, "secrets shades actions"]

    def __init__(self, shown: np.ndarray, pays: np.ndarray, ends: np.ndarray):
        ids = list(itertools.product(range(4), range(4)))
        test = [row for row, (secret, shade) in enumerate(ids) if secret == shade]
        self.problems = ProblemSet(ids, sorted(set(range(16)) - set(test)), test, ["secret", "shade"])
        discrete = gymnasium.spaces.Discrete
        self.spaces, self.horizon = Spaces(discrete(9), discrete(ACTIONS)), 4
        shape = (4, 4, ACTIONS)
        self.shown = jnp.asarray(np.broadcast_to(shown, shape), jnp.int32)
        self.pays = jnp.asarray(np.broadcast_to(pays, shape), jnp.float32)
        self.ends = jnp.asarray(np.broadcast_to(ends, shape), bool)

    def reset(self, problem, key):
        return problem, jnp.int32(0)

    def goal(self, state):
        return None

    def step(self, state, action, key):
        place = (state[0], state[1], action)
        return state, Step(self.shown[place], self.pays[place], self.ends[place], jnp.bool_(False))

    def render(self, state):
        return jnp.asarray(np.zeros((2, 2, 3), np.uint8))


def arms() -> Tables:
    """A bandit of one step: of the first two arms one pays 1, which one is seen from the reward alone.

    The best return is 1; without exploring it is 1/2.
    """
    return Tables(np.zeros(1), (ACTION == SECRETS % 2).astype(float), np.ones(1))


def switches() -> Tables:
    """Action 1 shows the secret and action 2 the shade, which is good for nothing; action 4 ends the episode.

    The action that is the secret pays 1 and ends the episode, any other costs 0.25. The best return is 1; one who
    knows nothing and tries one action after the other gets 1 - 0.25 * 1.5 = 0.625.
    """
    right = ACTION == SECRETS
    shown = np.where(ACTION == 1, 1 + SECRETS, np.where(ACTION == 2, 5 + SHADES, 0))
    return Tables(shown, np.where(right, 1, -0.25), right | (ACTION == 4))


def halves() -> Tables:
    """An episode is one step. Actions 3 and 4 show one bit of the secret each; the action that is the secret pays 1.

    To know both bits takes two exploration episodes: the best return is 1 then, and 1/2 with one.
    """
    shown = np.where(ACTION == 3, 1 + SECRETS % 2, np.where(ACTION == 4, 3 + SECRETS // 2, 0))
    return Tables(shown, (ACTION == SECRETS).astype(float), np.ones(1))
