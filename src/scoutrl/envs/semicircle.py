"""A point that has to find a goal on a half circle (Rakelly et al. 2019), without wind and with it."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from scoutrl.envs import draw
from scoutrl.envs.base import Action, Spaces, Step
from scoutrl.envs.point import (
    CELL,
    COLUMNS,
    HORIZON,
    ROWS,
    SPEED,
    TEST,
    TRAIN,
    Place,
    PointEnv,
    PointState,
    in_cells,
    on_half_circle,
    plane,
    split_problems,
    towards,
)
from scoutrl.envs.problems import ProblemSet
from scoutrl.errors import ScoutError

NEAR = 0.2
"""How near the goal something pays."""
WIND = 0.05
"""The strongest wind along each axis, a step."""
_VANE = np.array((-1.2, 1.2), np.float32)
"""Where pictures show the wind."""

Reward = Literal["graded", "binary"]


class Goals(PointEnv):
    """A hidden goal on the half circle; the families differ in their problems and in the wind."""

    problems: eqx.AbstractVar[ProblemSet]
    spaces: eqx.AbstractVar[Spaces]
    horizon: eqx.AbstractVar[int]
    reward: eqx.AbstractVar[Reward]
    """`graded`: 1 less the distance within 0.2 of the goal, else 0. `binary`: 1 within 0.2, else 0."""

    def wind(self, state: PointState) -> Place:
        """How far the point is moved in every step, whatever it does: the last two numbers of an ID, if it has four."""
        return state.problem[2:] if state.problem.size > 2 else jnp.zeros(2)

    def step(self, state: PointState, action: Action, key: PRNGKeyArray) -> tuple[PointState, Step]:
        """Move; it pays to be near the goal."""
        reach = self.spaces.observation.high  # pyright: ignore[reportAttributeAccessIssue]
        moved = state.position + SPEED * jnp.clip(action, -1, 1) + self.wind(state)
        position = jnp.clip(moved, -reach, reach)
        distance = jnp.hypot(*(position - state.problem[:2]))
        reward = jnp.where(distance <= NEAR, 1 - distance if self.reward == "graded" else 1.0, 0.0)
        return self.arrive(state, position, reward)

    def best_action(self, state: PointState) -> Action:
        """Towards the goal along each axis, against the wind: as near to it as can be after every single step."""
        return towards(state.problem[:2] - state.position - self.wind(state))

    def render(self, state: PointState) -> UInt8[Array, "height width 3"]:
        """The half circle, where it pays in green, the agent red, time used below; the wind: a blue dot off a ring."""
        image = draw.board(COLUMNS, ROWS, CELL, below=8)
        image = draw.arc(image, in_cells(jnp.zeros(2)), 4.0, 0.12, draw.INK)
        image = draw.disc(image, in_cells(state.problem[:2]), 4 * NEAR, draw.GREEN)
        image = draw.disc(image, in_cells(state.problem[:2]), 0.12, draw.WHITE)
        if state.problem.size > 2:
            image = draw.ring(image, in_cells(jnp.asarray(_VANE)), 0.25, draw.INK)
            image = draw.disc(image, in_cells(jnp.asarray(_VANE) + 4 * self.wind(state)), 0.2, draw.BLUE)
        image = draw.agent(image, in_cells(state.position))
        return draw.finish(image, state.steps / self.horizon)


class Semicircle(Goals):
    """`semicircle`: nothing but the goal is hidden."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    reward: Reward = eqx.field(static=True)

    def __init__(self, reward: Reward = "graded"):
        """Make the family.

        Args:
            reward: `graded` pays 1 less the distance within 0.2 of the goal, `binary` pays 1 there.
        """
        self.reward, self.horizon, self.spaces = _admitted(reward), HORIZON, plane(SPEED * HORIZON)
        self.problems = split_problems(on_half_circle(), ["x", "y"])


class SemicircleWind(Goals):
    """`semicircle-wind`: a wind is hidden as well."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    reward: Reward = eqx.field(static=True)

    def __init__(self, reward: Reward = "graded"):
        """Make the family.

        Args:
            reward: as in `semicircle`.
        """
        self.reward, self.horizon, self.spaces = _admitted(reward), HORIZON, plane((SPEED + WIND) * HORIZON)
        wind: Float[np.ndarray, "n 2"] = np.random.RandomState(1).uniform(-WIND, WIND, (TRAIN + TEST, 2))
        ids = np.concatenate([on_half_circle(), wind], axis=1)
        self.problems = split_problems(ids, ["x", "y", "wind_x", "wind_y"])


def _admitted(reward: Reward) -> Reward:
    if reward not in ("graded", "binary"):
        raise ScoutError(f'option reward must be "graded" or "binary", not {reward!r}')
    return reward
