"""The sign family played in the real simulator, Miniworld (Chevalier-Boisvert et al. 2023)."""

import functools
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from scoutrl.envs.base import Action, Goal, MetaEnv, Observation, Spaces, Step
from scoutrl.envs.describe import Description
from scoutrl.envs.problems import Problem, ProblemSet
from scoutrl.envs.sign import simulator
from scoutrl.envs.sign.draw import HEIGHT, WIDTH
from scoutrl.envs.sign.family import HORIZON, Sign, SignState
from scoutrl.envs.sign.top import CELL
from scoutrl.envs.spot import spot


class SignMiniworld(MetaEnv):
    """`sign-miniworld`: the rules and the states of `sign`; every step is made and every frame drawn by Miniworld.

    It leaves the compiled program for each step, all environments together, and spreads them over one process a core.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    twin: Sign
    """The family in JAX: starts are drawn by it, and views from above."""
    start: Literal["paper", "miniworld"] = eqx.field(static=True)
    """Where episodes start."""
    height: int = eqx.field(static=True)
    """Rows of the image."""
    width: int = eqx.field(static=True)
    """Columns of the image."""

    def __init__(self, start: Literal["paper", "miniworld"] = "paper", height: int = HEIGHT, width: int = WIDTH):
        """Make the family; the arguments are those of `sign`.

        Raises:
            ScoutError: Miniworld or something it needs is not installed.
        """
        simulator.check()
        self.twin = Sign(start, height, width)
        self.problems, self.spaces, self.horizon = self.twin.problems, self.twin.spaces, HORIZON
        self.start, self.height, self.width = start, height, width

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[SignState, Observation]:
        """As in `sign`."""
        state, _ = self.twin.reset(problem, key)
        shape = jax.ShapeDtypeStruct((self.height, self.width, 3), np.uint8)
        drawn = functools.partial(_look, self.height, self.width)
        return state, jax.pure_callback(drawn, shape, _pose(state), state.colour, vmap_method="broadcast_all")

    def goal(self, state: SignState) -> Goal:
        """0 for the box, 1 for the key."""
        return state.goal

    def step(self, state: SignState, action: Action, key: PRNGKeyArray) -> tuple[SignState, Step]:
        """Miniworld is put into `state` and takes the step."""
        shapes = (
            jax.ShapeDtypeStruct((3,), np.float32),
            jax.ShapeDtypeStruct((), np.float32),
            jax.ShapeDtypeStruct((), np.bool_),
            jax.ShapeDtypeStruct((self.height, self.width, 3), np.uint8),
        )
        stepped, given = functools.partial(_step, self.height, self.width), (state.colour, state.goal, action)
        place, reward, ended, seen = jax.pure_callback(
            stepped, shapes, _pose(state), *map(jnp.asarray, given), vmap_method="broadcast_all"
        )
        steps = state.steps + 1
        state = SignState(place[0], place[1], place[2], state.objects, state.colour, state.goal, steps)
        return state, Step(seen, reward, ended, steps >= HORIZON)

    def render(self, state: SignState) -> UInt8[Array, "height width 3"]:
        """As in `sign`."""
        return self.twin.render(state)

    def picture(self, state: SignState, goal: bool) -> UInt8[Array, "height width 3"]:
        """As in `sign`."""
        return self.twin.picture(state, goal)

    def describe(self) -> Description:
        """As `sign`."""
        return self.twin.describe()


def _look(height: int, width: int, poses: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Frames of any leading shape."""
    lead = np.shape(colours)
    drawn = simulator.look(_rows(poses, lead), _rows(colours, lead), height, width)
    return drawn.reshape((*lead, *drawn.shape[1:]))


def _step(height: int, width: int, poses: np.ndarray, *given: np.ndarray) -> tuple[np.ndarray, ...]:
    """Steps of any leading shape."""
    lead = np.shape(given[0])
    colours, goals, actions = (_rows(one, lead) for one in given)
    places, *others = simulator.step(_rows(poses, lead), colours, goals, actions, height, width)
    return tuple(part.reshape((*lead, *part.shape[1:])) for part in (places.astype(np.float32), *others))


def _pose(state: SignState) -> Float[Array, "9"]:
    return jnp.concatenate([jnp.stack([state.x, state.z, state.heading]), state.objects])


def _rows(array: np.ndarray, lead: tuple[int, ...]) -> np.ndarray:
    """With all leading axes as one."""
    array = np.asarray(array)
    return array.reshape((-1, *array.shape[len(lead) :]))


@spot.register
def _(env: SignMiniworld, state: SignState) -> Float[Array, "2"]:
    return CELL * jnp.stack([state.x, state.z])
