"""What the families of a point in the plane share: moving, sweeping, bounds, pictures."""

import abc
import math
from collections.abc import Callable

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.envs import draw
from scoutrl.envs.analytic import AnalyticEnv
from scoutrl.envs.base import Action, Goal, Observation, Spaces, Step
from scoutrl.envs.problems import Problem, ProblemSet
from scoutrl.envs.spot import spot

HORIZON = 20
"""Steps of an episode."""
SPEED = 0.1
"""How far one unit of action moves the point, along each axis."""
TRAIN, TEST = 80, 100
"""Problems to learn on, a tenth of them for validation, and problems for the test."""
COLUMNS, ROWS, CELL = 12, 10, 24
"""Cells of a picture, a quarter of a unit each, and pixels a cell."""
_ANGLES = np.linspace(0, np.pi, 31)
_RADII, _TURNS = (0.85, 0.95, 1.1), (-1.0, 0.0, 1.0)

Place = Float[Array, "2"]
"""A point (x, y)."""


class PointState(eqx.Module):
    """Where the point is, and what is hidden."""

    position: Place
    problem: Problem
    steps: Int[Array, ""]
    earned: Float[Array, ""]
    """The reward of the last step: what a sweep goes by."""


class PointEnv(AnalyticEnv):
    """A point that starts at the origin and moves by up to 0.1 along each axis a step; it sees where it is.

    What is hidden lies on the upper half of the circle of radius 1.
    """

    problems: eqx.AbstractVar[ProblemSet]
    spaces: eqx.AbstractVar[Spaces]
    horizon: eqx.AbstractVar[int]

    @abc.abstractmethod
    def best_action(self, state: PointState) -> Action:
        """What the best policy does that is told the problem, from the start of an episode or from a rewarded place."""

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[PointState, Observation]:
        """Start at the origin."""
        state = PointState(jnp.zeros(2), jnp.asarray(problem), jnp.int32(0), jnp.float32(0))
        return state, state.position

    def goal(self, state: PointState) -> Goal:
        """None: the goal is what has to be found."""
        return None

    def arrive(self, state: PointState, position: Place, reward: Float[Array, ""]) -> tuple[PointState, Step]:
        """The state after a step from `state` to a position, and the answer."""
        after = PointState(position, state.problem, state.steps + 1, reward)
        return after, Step(position, reward, jnp.bool_(False), after.steps >= self.horizon)

    def own_bounds(self, problems: np.ndarray) -> dict[str, float]:
        """The bounds on some problems.

        Returns:
            `optimum`: told the problem. `fixed_place`: the best place to go to, the same in all problems. `sweep`: the
            best of many sweeps without an exploration episode, each straight out to a radius at some angle and then
            along the half circle until something pays; from there on the problem is known.
        """
        ids = jnp.asarray(problems)
        told = _told(self, ids)
        paths = np.stack([x.ravel() for x in np.meshgrid(_RADII, _ANGLES, _TURNS, indexing="ij")])
        swept = np.asarray(_swept(self, ids, *jnp.asarray(paths, jnp.float32)))
        best = [float(swept[(paths[2] != 0) == moving].max()) for moving in (False, True)]
        return {"optimum": float(told), "fixed_place": best[0], "sweep": best[1]}


def sweep_action(state: PointState, radius: Array, angle: Array, turn: Array) -> Action:
    """Out to (radius, angle), then around the origin: by `turn` = 1 against the clock, -1 with it, 0 stay."""
    start = radius * jnp.stack([jnp.cos(angle), jnp.sin(angle)])
    out = jnp.hypot(*state.position) < 0.8 * radius
    # The origin has no angle: there the first way out is taken.
    now = jnp.arctan2(state.position[1], state.position[0])
    ahead = jnp.where(turn == 0, angle, now + 0.15 * turn)
    target = jnp.where(out, start, radius * jnp.stack([jnp.cos(ahead), jnp.sin(ahead)]))
    return towards(target - state.position)


def towards(way: Place) -> Action:
    """The action that goes this way, along each axis as far as a step goes."""
    return jnp.clip(way / SPEED, -1, 1)


@eqx.filter_jit
def _told(env: PointEnv, problems: Array) -> Float[Array, ""]:
    return _mean_returns(env, problems, lambda state: env.best_action(state))


def _mean_returns(env: PointEnv, problems: Array, act: Callable[[PointState], Action]) -> Float[Array, ""]:
    return jax.vmap(lambda problem: _return(env, problem, act))(problems).mean()


@eqx.filter_jit
def _swept(env: PointEnv, problems: Array, radius: Array, angle: Array, turn: Array) -> Float[Array, " paths"]:
    """The mean return over the problems of each of some paths."""

    def one(radius: Array, angle: Array, turn: Array) -> Float[Array, ""]:
        def act(state: PointState) -> Action:
            known = (state.earned > 0) & (turn != 0)
            return jnp.where(known, env.best_action(state), sweep_action(state, radius, angle, turn))

        return _mean_returns(env, problems, act)

    return jax.vmap(one)(radius, angle, turn)


def _return(env: PointEnv, problem: Array, act: Callable[[PointState], Action]) -> Float[Array, ""]:
    """The return of one episode."""
    key = jax.random.key(0)  # nothing here is random

    def step(state: PointState, _: None) -> tuple[PointState, Array]:
        state, answer = env.step(state, act(state), key)
        return state, answer.reward

    return jax.lax.scan(step, env.reset(problem, key)[0], None, length=env.horizon)[1].sum()


def plane(reach: float) -> Spaces:
    """Positions up to `reach` from the origin along each axis, and actions of two coordinates."""
    box = gymnasium.spaces.Box
    return Spaces(box(-reach, reach, (2,), np.float32), box(-1.0, 1.0, (2,), np.float32))


def on_half_circle() -> Float[np.ndarray, "problems 2"]:
    """Points drawn evenly from the upper half of the circle of radius 1, one for each problem, always the same."""
    # The stream of a RandomState is frozen: other versions of NumPy draw the same points.
    angles = np.random.RandomState(0).uniform(0, math.pi, TRAIN + TEST)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def split_problems(ids: Float[np.ndarray, "problems k"], names: list[str]) -> ProblemSet:
    """The first `TRAIN` problems to learn on, the others for the test."""
    return ProblemSet(ids, range(TRAIN), range(TRAIN, TRAIN + TEST), names)


def in_cells(place: Place) -> Place:
    """A place of the plane in the cells of a picture."""
    return jnp.asarray(place) * 4 + jnp.array([COLUMNS / 2 - 0.5, ROWS / 2 - 0.5])


@spot.register
def _(env: PointEnv, state: PointState) -> Float[Array, "2"]:
    return draw.middle(in_cells(state.position), ROWS, CELL)
