"""The family of the coupling argument: one lever tells which lever pays."""

import math

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray, UInt8

from scoutrl._platform import require_memory
from scoutrl.envs import draw
from scoutrl.envs.base import Action, Goal, Observation, Spaces, Step
from scoutrl.envs.describe import Description, Symbol
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.envs.problems import Problem, ProblemSet
from scoutrl.errors import ScoutError

REVEALING = 0
"""The action that shows the problem ID, in every problem."""


class LeverState(eqx.Module):
    """Which lever pays, and which was pulled."""

    paying: Int[Array, ""]
    pulled: Int[Array, ""]
    """-1 before the one step."""


class Lever(EnumerableEnv):
    """`lever`: one step; lever i pays 1 in problem i, and lever 0 shows i (Liu et al. 2021, the coupling problem)."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    size: int = eqx.field(static=True)
    """How many levers and problems there are."""

    def __init__(self, size: int = 64):
        """Make the family.

        Args:
            size: |A|, the number of levers and of problems, at least 2.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 2:
            raise ScoutError(f"option size must be a whole number of at least 2, not {size!r}")
        require_memory(40 * size, f"a table of {size:,} levers", "lower size")
        self.problems = ProblemSet(range(size), range(size), range(size), ["lever"])
        discrete = gymnasium.spaces.Discrete
        self.spaces = Spaces(discrete(size + 1, dtype=np.int32), discrete(size, dtype=np.int32))
        self.horizon, self.size = 1, size

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[LeverState, Observation]:
        """Nothing pulled, nothing seen."""
        return LeverState(jnp.asarray(problem)[0], jnp.int32(-1)), jnp.int32(0)

    def goal(self, state: LeverState) -> Goal:
        """None."""
        return None

    def step(self, state: LeverState, action: Action, key: PRNGKeyArray) -> tuple[LeverState, Step]:
        """Pull a lever: that is the whole episode."""
        pulled = jnp.asarray(action, jnp.int32)
        seen = jnp.where(pulled == REVEALING, state.paying + 1, 0)
        reward = (pulled == state.paying).astype(jnp.float32)
        return LeverState(state.paying, pulled), Step(seen, reward, jnp.bool_(True), jnp.bool_(True))

    def starts(self, problem: Problem) -> Starts:
        """The one start there is."""
        state = LeverState(jnp.asarray(problem), jnp.full(1, -1, jnp.int32))
        return Starts(state, jnp.zeros(1, jnp.int32), jnp.ones(1))

    def representative(self, problem: Problem) -> Problem:
        """The problem itself."""
        return problem

    def restrictions(self) -> dict[str, Bool[np.ndarray, " actions"]]:
        """None."""
        return {}

    def render(self, state: LeverState) -> UInt8[Array, "height width 3"]:
        """Levers row by row from the bottom left: the paying one gold, the telling one blue, the pulled one ringed."""
        columns = math.ceil(math.sqrt(self.size))
        image = draw.board(columns, math.ceil(self.size / columns), cell=24, below=8)
        image = draw.square(image, _cell(state.paying, columns), 0.34, draw.GOLD)
        image = draw.square(image, _cell(jnp.int32(REVEALING), columns), 0.2, draw.BLUE)
        ringed = draw.ring(image, _cell(state.pulled, columns), 0.44, draw.RED)
        waiting = state.pulled < 0
        return draw.finish(
            jax.tree.map(lambda a, b: jnp.where(waiting, a, b), image, ringed), jnp.where(waiting, 0.0, 1.0)
        )

    def describe(self) -> Description:
        """Levers by number."""
        names = [f"lever {place}" for place in range(self.size)]
        legend = (
            Symbol("the lever that pays: to be found out", draw.symbol(draw.square, 0.34, draw.GOLD)),
            Symbol("lever 0, which tells", draw.symbol(draw.square, 0.2, draw.BLUE)),
            Symbol("the lever that was pulled", draw.symbol(draw.ring, 0.44, draw.RED)),
        )
        return Description(names, legend, problem=lambda problem: f"lever {problem[0]} pays")


def _cell(lever: Int[Array, ""], columns: int) -> Int[Array, "2"]:
    return jnp.stack([lever % columns, lever // columns])
