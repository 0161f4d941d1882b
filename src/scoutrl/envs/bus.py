"""Buses to ride: which coloured stop leads to which corner has to be found out."""

import itertools
from collections.abc import Iterator
from typing import Literal

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt8

from scoutrl.envs import draw
from scoutrl.envs.base import Action, Goal, Observation, Spaces, Step
from scoutrl.envs.describe import Description, Symbol
from scoutrl.envs.enumerable import EnumerableEnv, Starts
from scoutrl.envs.grid import (
    ACTIONS,
    HORIZON,
    RIDE,
    Position,
    answer,
    counts,
    forfeit,
    identities,
    number,
    pick,
    standing_on,
    walk,
)
from scoutrl.envs.problems import Problem, ProblemSet
from scoutrl.envs.spot import spot

SIZE = 9
CELL = 24
"""Pixels a cell."""
CORNERS = np.array([(0, 0), (8, 8), (0, 8), (8, 0)], np.int32)
MAP = np.array((7, 3), np.int32)
STOPS = np.array([(4, 5), (5, 4), (3, 4), (4, 3), (5, 5), (3, 3), (3, 5), (5, 3)], np.int32)
"""Four coloured stops, then the four useless ones."""
LINE_NAMES = ("the blue bus", "the pink bus", "the yellow bus", "the teal bus", "a bus of no use")
USEFUL = np.array(list(itertools.permutations([(0, 1), (0, 7), (8, 1), (8, 7)])), np.int32)
"""[24, 4, 2]: where the coloured stops lead."""
USELESS = np.array(list(itertools.permutations([(0, 4), (4, 0), (8, 4), (4, 8)])), np.int32)
"""[24, 4, 2]: where the useless stops lead."""


class CityState(eqx.Module):
    """Where the agent is, where it should go, and where the buses go."""

    position: Position
    goal: Position
    ends: Int[Array, "lines 2"]
    """The destination of each line."""
    number: Int[Array, ""]
    """The problem's number n, which the map shows."""
    steps: Int[Array, ""]


class City(EnumerableEnv):
    """A 9x9 city; the families differ in their buses, their problems and whether there is a map."""

    problems: eqx.AbstractVar[ProblemSet]
    spaces: eqx.AbstractVar[Spaces]
    horizon: eqx.AbstractVar[int]
    weights: eqx.AbstractVar[tuple[int, ...]]
    """Turns a problem ID into the problem's number."""
    lines: eqx.AbstractVar[int]
    """How many lines there are: 4, or 8 with the useless ones."""
    has_map: eqx.AbstractVar[bool]
    """Whether the agent observes the problem's number at (7, 3)."""

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[CityState, Observation]:
        """Start in the middle, with a corner drawn as the goal."""
        state = self._start(problem, jnp.asarray(CORNERS)[pick(key, len(CORNERS))])
        return state, self._look(state)

    def goal(self, state: CityState) -> Goal:
        """The corner (x, y) to go to."""
        return state.goal

    def step(self, state: CityState, action: Action, key: PRNGKeyArray) -> tuple[CityState, Step]:
        """Walk, ride or end the episode; picking up and dropping do nothing here but take their time."""
        position = jnp.where(action == RIDE, self._ride(state), walk(state.position, action, SIZE))
        steps = state.steps + 1
        state = CityState(position, state.goal, state.ends, state.number, steps)
        reached = (position == state.goal).all()
        reward = jnp.where(reached, 1.0, -0.1 - forfeit(action, steps))
        return state, answer(self._look(state), reward, reached, action, steps)

    def starts(self, problem: Problem) -> Starts:
        """One start per corner."""
        states = jax.vmap(self._start, in_axes=(None, 0))(problem, jnp.asarray(CORNERS))
        return Starts(states, jax.vmap(self._look)(states), jnp.full(len(CORNERS), 1 / len(CORNERS)))

    def representative(self, problem: Problem) -> Problem:
        """The problem itself."""
        return problem

    def restrictions(self) -> dict[str, Bool[np.ndarray, " actions"]]:
        """`walking`: never ride, the strong local optimum of this family."""
        return {"walking": np.arange(len(ACTIONS)) != RIDE}

    def render(self, state: CityState) -> UInt8[Array, "height width 3"]:
        """Lines in their colours (stops square, destinations round), goal green, agent red, time used below."""
        return self.picture(state, goal=True)

    def picture(self, state: CityState, goal: bool) -> UInt8[Array, "height width 3"]:
        """As `render`, with the goal or without."""
        image = draw.board(SIZE, SIZE, CELL, below=8)
        image = draw.flag(image, state.goal) if goal else image
        if self.has_map:
            image = draw.scroll(image, MAP)
        for line in range(self.lines):
            colour = draw.LINES[min(line, 4)]
            image = draw.square(image, STOPS[line], 0.36, colour)
            image = draw.ring(image, state.ends[line], 0.36, colour)
        image = draw.agent(image, state.position)
        return draw.finish(image, state.steps / HORIZON)

    def describe(self) -> Description:
        """Actions, symbols, corners as goals; which line leads where is the problem."""
        return Description(ACTIONS, tuple(self._legend()), goal=_corner)

    def _legend(self) -> Iterator[Symbol]:
        """Each line has a colour, and all useless ones the same."""
        yield Symbol("the agent", draw.symbol(draw.agent))
        yield Symbol("where to go, once it is told", draw.symbol(draw.flag))
        for line in range(min(self.lines, 5)):
            name = f"{LINE_NAMES[line]}"
            yield Symbol(f"stop of {name}", draw.symbol(draw.square, 0.36, draw.LINES[line]))
            yield Symbol(f"where {name} leads", draw.symbol(draw.ring, 0.36, draw.LINES[line]))
        if self.has_map:
            yield Symbol("the map, which tells the problem", draw.symbol(draw.scroll))
        yield Symbol("time used", draw.time_bar())

    def _start(self, problem: Problem, goal: Position) -> CityState:
        n = number(problem, self.weights)
        ends = jnp.asarray(USEFUL)[n % 24]
        if self.lines > len(USEFUL[0]):
            ends = jnp.concatenate([ends, jnp.asarray(USELESS)[n // 24]])
        return CityState(jnp.array((4, 4), jnp.int32), goal, ends, n, jnp.int32(0))

    def _ride(self, state: CityState) -> Position:
        """From a stop to its destination, from a destination to its stop, from elsewhere nowhere."""
        stops = STOPS[: self.lines]
        forth = standing_on(state.position, stops).astype(jnp.int32)
        back = standing_on(state.position, state.ends)
        return state.position + ((forth - back)[:, None] * (state.ends - stops)).sum(axis=0)

    def _look(self, state: CityState) -> Int[Array, " n"]:
        at_stop = standing_on(state.position, STOPS[: self.lines]) | standing_on(state.position, state.ends)
        seen = [state.position, at_stop.any()[None].astype(jnp.int32)]
        if self.has_map:
            seen.append(jnp.where((state.position == MAP).all(), state.number + 1, 0)[None])
        return jnp.concatenate(seen)


class Bus(City):
    """`bus`: four lines, 24 problems, all of them for training and for test."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    weights: tuple[int, ...] = eqx.field(static=True)
    lines: int = eqx.field(static=True)
    has_map: bool = eqx.field(static=True)

    def __init__(self):
        self.problems = ProblemSet(range(24), range(24), range(24), ["permutation"])
        self.spaces = _spaces(SIZE, SIZE, 2)
        self.horizon, self.weights, self.lines, self.has_map = HORIZON, (1,), 4, False


class Map(City):
    """`map`: as `bus`, and at (7, 3) the agent observes the problem's number."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    weights: tuple[int, ...] = eqx.field(static=True)
    lines: int = eqx.field(static=True)
    has_map: bool = eqx.field(static=True)

    def __init__(self):
        self.problems = ProblemSet(range(24), range(24), range(24), ["permutation"])
        self.spaces = _spaces(SIZE, SIZE, 2, 25)
        self.horizon, self.weights, self.lines, self.has_map = HORIZON, (1,), 4, True


class DistractingBus(City):
    """`distracting-bus`: four useful and four useless lines, 576 problems, every eleventh to learn from."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    weights: tuple[int, ...] = eqx.field(static=True)
    lines: int = eqx.field(static=True)
    has_map: bool = eqx.field(static=True)
    ids: Literal["number", "components"] = eqx.field(static=True)
    """How a problem is told: by one number, or by two components."""

    def __init__(self, ids: Literal["number", "components"] = "components"):
        """Make the family.

        Args:
            ids: a problem's ID as one number n, or as two components: n mod 24 (useful) and n div 24 (useless).
        """
        self.ids = ids
        table, self.weights = identities((24, 24), ids)
        train = np.arange(0, len(table), 11)
        test = np.setdiff1d(np.arange(len(table)), train)
        names = ["useful", "useless"] if ids == "components" else ["permutations"]
        self.problems = ProblemSet(table, train, test, names)
        self.spaces = _spaces(SIZE, SIZE, 2)
        self.horizon, self.lines, self.has_map = HORIZON, 8, False


def _corner(goal: np.ndarray) -> str:
    return f"corner ({', '.join(map(str, goal.tolist()))})"


def _spaces(*observation: int) -> Spaces:
    return Spaces(counts(*observation), gymnasium.spaces.Discrete(len(ACTIONS), dtype=np.int32), counts(SIZE, SIZE))


@spot.register
def _(env: City, state: CityState) -> Float[Array, "2"]:
    return draw.middle(state.position, SIZE, CELL)
