"""A point in a round room, which has to find the one opening in its wall (after Dorfman et al. 2021)."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, UInt8

from scoutrl.envs import draw
from scoutrl.envs.base import Action, Spaces, Step
from scoutrl.envs.point import (
    CELL,
    COLUMNS,
    HORIZON,
    ROWS,
    SPEED,
    Place,
    PointEnv,
    PointState,
    in_cells,
    on_half_circle,
    plane,
    split_problems,
)
from scoutrl.envs.problems import ProblemSet

HALF = math.pi / 16
"""Half the angle of the opening."""
INSIDE, OUTSIDE = 0.999, 1.001
"""Radii on both sides of the wall: where a point is stopped that runs against it."""
_MARGIN = 1e-4
"""How far from the edge of the opening the shortest way out goes, in radians."""


class EscapeRoom(PointEnv):
    """`escape-room`: a wall of radius 1 around the start, with an opening of 22.5° somewhere in its upper half.

    The problem is the middle of the opening. Every step that ends outside pays 1.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        self.horizon, self.spaces = HORIZON, plane(SPEED * HORIZON)
        self.problems = split_problems(on_half_circle(), ["x", "y"])

    def step(self, state: PointState, action: Action, key: PRNGKeyArray) -> tuple[PointState, Step]:
        """Move; through the wall only where the opening is, else along it."""
        reach = self.spaces.observation.high  # pyright: ignore[reportAttributeAccessIssue]
        moved = jnp.clip(state.position + SPEED * jnp.clip(action, -1, 1), -reach, reach)
        before, after = jnp.hypot(*state.position) > 1, jnp.hypot(*moved) > 1
        stopped = (before != after) & ~self._open(state, moved)
        along = moved / jnp.maximum(jnp.hypot(*moved), 1e-6) * jnp.where(before, OUTSIDE, INSIDE)
        position = jnp.where(stopped, along, moved)
        return self.arrive(state, position, (jnp.hypot(*position) > 1).astype(jnp.float32))

    def best_action(self, state: PointState) -> Action:
        """Straight out where the opening is nearest along the faster axis, and stay there.

        One step goes 0.1 along each axis, so that the wall is nearest at 45° and 135°.
        """
        middle = jnp.arctan2(state.problem[1], state.problem[0])
        least, most = middle - HALF + _MARGIN, middle + HALF - _MARGIN
        angles = jnp.stack([jnp.clip(jnp.float32(corner), least, most) for corner in (math.pi / 4, 3 * math.pi / 4)])
        ways = jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=-1)
        far = jnp.abs(ways).max(axis=-1)
        way = (ways / far[:, None])[jnp.argmin(far)]
        return jnp.where(jnp.hypot(*state.position) > 1, jnp.zeros(2), way)

    def render(self, state: PointState) -> UInt8[Array, "height width 3"]:
        """The wall dark, its opening green, the agent red, time used below."""
        image, centre = draw.board(COLUMNS, ROWS, CELL, below=8), in_cells(jnp.zeros(2))
        image = draw.arc(image, centre, 4.0, 0.24, draw.INK, np.array((0, 1), np.float32), math.pi)
        image = draw.arc(image, centre, 4.0, 0.3, draw.GREEN, state.problem, HALF)
        return draw.finish(draw.agent(image, in_cells(state.position)), state.steps / self.horizon)

    def _open(self, state: PointState, place: Place) -> Bool[Array, ""]:
        """Whether the opening is in the direction of a place."""
        along: Float[Array, ""] = (place * state.problem).sum() / jnp.maximum(jnp.hypot(*place), 1e-6)
        return along >= math.cos(HALF)
