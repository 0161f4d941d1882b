"""Two families for posterior sampling: one place of several pays, and an episode is long enough to try one of them.

Whatever is tried, one problem is found to be true, or is ruled out. So nobody can do better than to try another place
in each episode until it pays: after E episodes of exploring the return is (E + 1) / places, and that is what a draw an
episode from the exact posterior earns.
"""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete

from scoutrl import ProblemSet, Spaces, Step
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.exact.solved import all_starts, best, solve
from scoutrl.exact.thompson import Thompson


class Hidden(EnumerableEnv):
    """A family with one start to a problem, in which what is hidden is all there is: no goals, nothing to see."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def reset(self, problem, key):
        """At the one start there is."""
        return jax.tree.map(lambda x: x[0], (self.starts(problem).states, self.starts(problem).observations))

    def goal(self, state):
        """There are none."""
        return None

    def representative(self, problem):
        """The problem itself."""
        return problem

    def restrictions(self):
        """None."""
        return {}

    def render(self, state):
        """Nothing to see."""
        return jnp.asarray(np.zeros((2, 2, 3), np.uint8))


@final
class Arms(Hidden):
    """A bandit over episodes: an episode is one pull, and one of the arms pays 1."""

    def __init__(self, size: int = 4):
        """The same problems to train on and to test on: there is nothing to generalise."""
        self.problems = ProblemSet(range(size), range(size), range(size), ["arm"])
        self.spaces, self.horizon = Spaces(Discrete(2), Discrete(size)), 1

    def step(self, state, action, key):
        """Pull an arm."""
        return state, Step(jnp.int32(1), (action == state).astype(jnp.float32), jnp.bool_(True), jnp.bool_(False))

    def starts(self, problem):
        """The one there is."""
        return Starts(jnp.asarray(problem), jnp.zeros(1, jnp.int32), jnp.ones(1))


@final
class HalfDisc(Hidden):
    """A point robot on a grid, as PEARL's: from (0, 0) it goes left, right or up, to a hidden place on the rim.

    The rim is |x| + y = radius, with 2 radius + 1 places. An episode has `radius` steps, which lead to one of them; the
    right one pays 1. Where the robot stands is all that is seen.
    """

    def __init__(self, radius: int = 3):
        """The same problems to train on and to test on."""
        places = range(2 * radius + 1)
        self.problems = ProblemSet(places, places, places, ["place"])
        self.spaces = Spaces(MultiDiscrete([2 * radius + 1, radius + 1]), Discrete(3))
        self.horizon = radius

    def step(self, state, action, key):
        """Go a step."""
        place, at = state
        at = at + jnp.asarray([[-1, 0], [1, 0], [0, 1]])[action]
        x = place - self.horizon
        there = (at == jnp.stack([x, self.horizon - jnp.abs(x)])).all()
        return (place, at), Step(self._seen(at), there.astype(jnp.float32), there, jnp.bool_(False))

    def starts(self, problem):
        """The one there is."""
        at = jnp.zeros((1, 2), jnp.int32)
        return Starts((jnp.asarray(problem), at), self._seen(at), jnp.ones(1))

    def _seen(self, at):
        """Both coordinates, from 0 on."""
        return at.at[..., 0].add(self.horizon)


def line(env: EnumerableEnv, explorations: int) -> float:
    """What exact posterior sampling earns after some exploration episodes, with one draw in each."""
    solved = solve(env, [best(np.ones(int(env.spaces.action.n), bool))])  # pyright: ignore[reportAttributeAccessIssue]
    sampler = Thompson(env, all_starts(env, env.problems.ids), solved.places, solved.plan)
    belief = np.full((1, len(env.problems.ids)), 1 / len(env.problems.ids))
    for _ in range(explorations):
        belief = sampler.explored(belief, again=False)
    return round(sampler.exploited(belief), 6)
