"""A family of continuous actions whose best return is known."""

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step


class Targets(MetaEnv):
    """One step: an action x in [-2, 2] pays 1 - |x - target|, with the target at -1, 0 or 1. Nothing is shown but that.

    The best return is 1; one who knows nothing gets 1/3, by always choosing the middle.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        self.problems = ProblemSet([0, 1, 2], [0, 1, 2], [0, 1, 2])
        box = gymnasium.spaces.Box
        self.spaces, self.horizon = Spaces(box(-1, 1, (1,), np.float32), box(-2, 2, (1,), np.float32)), 1

    def reset(self, problem, key):
        return problem[0], jnp.zeros(1)

    def goal(self, state):
        return None

    def step(self, state, action, key):
        reward = 1 - jnp.abs(action[0] - (state - 1))
        return state, Step(jnp.zeros(1), reward, jnp.bool_(True), jnp.bool_(False))

    def render(self, state):
        return jnp.asarray(np.zeros((2, 2, 3), np.uint8))
