"""A kitchen: what each drawer holds has to be found out, then two ingredients go into the bowl in order."""

from collections.abc import Sequence
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
    DROP,
    HORIZON,
    PICK_UP,
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

SIZE = 3
CELL = 60
"""Pixels a cell."""
INGREDIENTS = 4
EMPTY = INGREDIENTS
"""What stands for no ingredient, in the hand and in the bowl."""
BOWL = np.array((1, 1), np.int32)
DRAWERS = np.array([(2, 0), (2, 1), (2, 2)], np.int32)
FOOD_NAMES = ("blue", "green", "purple", "yellow")
"""Ingredients by their colour in pictures."""
_PLACES = np.array((1, 4, 16), np.int32)
_BALANCED = (14, 27, 32, 53)
"""Problems in which each ingredient is in each drawer once: no pair of contents is in two of them."""


class KitchenState(eqx.Module):
    """Where the agent is, what is where, what is wanted and how far the dish is."""

    position: Position
    goal: Int[Array, "2"]
    drawers: Int[Array, "3"]
    """The ingredient in each drawer."""
    hand: Int[Array, ""]
    """The inventory."""
    bowl: Int[Array, "3"]
    stage: Int[Array, ""]
    """0: fetch the first ingredient, 1: drop it, 2: fetch the second, 3: drop it."""
    steps: Int[Array, ""]


class Kitchen(EnumerableEnv):
    """A 3x3 kitchen with 64 problems; the families differ in which problems are kept for the test."""

    problems: eqx.AbstractVar[ProblemSet]
    spaces: eqx.AbstractVar[Spaces]
    horizon: eqx.AbstractVar[int]
    weights: eqx.AbstractVar[tuple[int, ...]]
    """Turns a problem ID into the problem's number."""

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[KitchenState, Observation]:
        """Start at the bowl, empty-handed; each half of the goal is drawn from the three drawers."""
        state = self._start(problem, pick(key, 9))
        return state, _look(state)

    def goal(self, state: KitchenState) -> Goal:
        """The two ingredients, in order."""
        return state.goal

    def step(self, state: KitchenState, action: Action, key: PRNGKeyArray) -> tuple[KitchenState, Step]:
        """Walk, pick up, drop or end the episode; riding does nothing here but takes its time."""
        at_bowl = (state.position == BOWL).all()
        at_drawer = standing_on(state.position, DRAWERS)
        found = jnp.where(at_drawer, state.drawers, 0).sum()
        taken = jnp.where(at_drawer.any(), found, jnp.where(at_bowl, EMPTY, state.hand))
        hand = jnp.where(action == PICK_UP, taken, jnp.where(action == DROP, EMPTY, state.hand))
        # The bowl fills from the left. An empty hand drops EMPTY where EMPTY is: nothing happens.
        place = np.arange(3) == (state.bowl != EMPTY).sum()
        bowl = jnp.where(place & at_bowl & (action == DROP), state.hand, state.bowl)
        stage, reward, done = _judge(state.stage, state.goal, hand, bowl, action)
        steps = state.steps + 1
        position = walk(state.position, action, SIZE)
        state = KitchenState(position, state.goal, state.drawers, hand, bowl, stage, steps)
        return state, answer(_look(state), reward - forfeit(action, steps), done, action, steps)

    def starts(self, problem: Problem) -> Starts:
        """One start for each of the nine ordered pairs of drawers that the goal is drawn from."""
        states = jax.vmap(self._start, in_axes=(None, 0))(problem, jnp.arange(9))
        return Starts(states, jax.vmap(_look)(states), jnp.full(9, 1 / 9))

    def representative(self, problem: Problem) -> Problem:
        """The problem with its ingredients renamed 0, 1, 2 in the order of the drawers: names make no difference."""
        a, b, c = self._drawers(problem)
        second = jnp.where(b == a, 0, 1)
        third = jnp.where(c == a, 0, jnp.where(c == b, second, second + 1))
        renamed = jnp.stack([jnp.zeros_like(second), second, third])
        return renamed if len(self.weights) > 1 else (renamed * _PLACES).sum()[None]

    def restrictions(self) -> dict[str, Bool[np.ndarray, " actions"]]:
        """None."""
        return {}

    def render(self, state: KitchenState) -> UInt8[Array, "height width 3"]:
        """Drawers right, bowl in the middle, agent red; below: goal, bowl and hand as coloured discs, time used."""
        return self.picture(state, goal=True)

    def picture(self, state: KitchenState, goal: bool) -> UInt8[Array, "height width 3"]:
        """As `render`, with the goal or with two empty places for it."""
        image = draw.board(SIZE, SIZE, CELL, below=56)
        for drawer, cell in enumerate(DRAWERS):
            image = draw.cupboard(image, cell, draw.food(state.drawers[drawer]))
        image = draw.plate(image, BOWL)
        image = draw.agent(image, state.position)
        wanted = state.goal if goal else jnp.full(2, EMPTY)
        for row, contents in enumerate((wanted, state.bowl, state.hand[None])):
            image = draw.shelf(image, row, [draw.food(item) for item in contents])
        return draw.finish(image, state.steps / HORIZON)

    def describe(self) -> Description:
        """Actions, symbols, ingredients by colour."""
        return Description(ACTIONS, _legend(), goal=_dish, problem=self._contents)

    def _contents(self, problem: np.ndarray) -> str:
        return "drawers hold " + ", ".join(FOOD_NAMES[item] for item in np.asarray(self._drawers(jnp.asarray(problem))))

    def _drawers(self, problem: Problem) -> Int[Array, "3"]:
        return number(problem, self.weights) // _PLACES % INGREDIENTS

    def _start(self, problem: Problem, pair: Int[Array, ""]) -> KitchenState:
        """The goal is what the drawers pair // 3 and pair % 3 hold."""
        drawers = self._drawers(problem)
        goal = drawers[jnp.stack([pair // 3, pair % 3])]
        empty, zero = jnp.int32(EMPTY), jnp.int32(0)
        return KitchenState(jnp.asarray(BOWL), goal, drawers, empty, jnp.full(3, empty), zero, zero)


class Cooking(Kitchen):
    """`cooking`: problem 10 is the test; of the other 63, six are for validation and the rest for training."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    weights: tuple[int, ...] = eqx.field(static=True)
    ids: Literal["number", "components"] = eqx.field(static=True)
    """How a problem is told: by one number, or by the contents of three drawers."""

    def __init__(self, ids: Literal["number", "components"] = "components"):
        """Make the family.

        Args:
            ids: a problem's ID as one number n, or as the ingredients of the three drawers.
        """
        self.problems, self.weights = _problems(np.arange(64) == 10, ids)
        self.spaces, self.horizon, self.ids = _spaces(), HORIZON, ids


class CookingSplit(Kitchen):
    """`cooking-split`: the 16 problems whose ingredients add up to a multiple of 4 are the test.

    It is a Latin square: each ingredient in each drawer occurs in 4 test problems and in 12 others. Of these 48, each
    ingredient in each drawer occurs once in the 4 for validation, and any two drawers' contents occur together in two
    or three of the 44 for training. Problem 10, the test of `cooking`, is in the test.
    """

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    weights: tuple[int, ...] = eqx.field(static=True)
    ids: Literal["number", "components"] = eqx.field(static=True)
    """How a problem is told: by one number, or by the contents of three drawers."""

    def __init__(self, ids: Literal["number", "components"] = "components"):
        """Make the family.

        Args:
            ids: a problem's ID as one number n, or as the ingredients of the three drawers.
        """
        contents, _ = identities((INGREDIENTS,) * 3, "components")
        held_out = contents.sum(axis=1) % INGREDIENTS == 0
        self.problems, self.weights = _problems(held_out, ids, _BALANCED)
        self.spaces, self.horizon, self.ids = _spaces(), HORIZON, ids


def _dish(goal: np.ndarray) -> str:
    first, second = (FOOD_NAMES[item] for item in goal.tolist())
    return f"{first}, then {second}"


def _legend() -> tuple[Symbol, ...]:
    drawers = [
        Symbol(f"a drawer with {name}", draw.symbol(draw.cupboard, draw.FOODS[item]))
        for item, name in enumerate(FOOD_NAMES)
    ]
    return (
        Symbol("the agent", draw.symbol(draw.agent)),
        *drawers,
        Symbol("the bowl", draw.symbol(draw.plate)),
        Symbol("below, from the left: what is wanted, once it is told; what the bowl holds; the hand", _shelf()),
        Symbol("time used", draw.time_bar()),
    )


def _shelf() -> UInt8[np.ndarray, "height width 3"]:
    """A place under the grid, for the legend."""
    return draw.symbol(draw.ring, 0.3, draw.INK)


def _look(state: KitchenState) -> Int[Array, "7"]:
    at_bowl = (state.position == BOWL).all()
    at_drawer = standing_on(state.position, DRAWERS).any()
    status = 2 * at_bowl.astype(jnp.int32) + 3 * at_drawer
    return jnp.concatenate([state.position, status[None], state.hand[None], state.bowl])


def _judge(
    stage: Int[Array, ""], goal: Int[Array, "2"], hand: Int[Array, ""], bowl: Int[Array, "3"], action: Action
) -> tuple[Int[Array, ""], Float[Array, ""], Bool[Array, ""]]:
    """The one test of a step, after its action: the next stage, the reward, and whether the dish is done."""
    fetching, second = stage % 2 == 0, stage >= 2
    held = hand == jnp.where(second, goal[1], goal[0])
    served = (bowl[0] == goal[0]) & (~second | (bowl[1] == goal[1]))
    success = jnp.where(fetching, held, served)
    blunder = ~success & jnp.where(fetching, action == PICK_UP, ~held)
    dropped = blunder & ~fetching
    reward = jnp.where(success, 0.25, jnp.where(blunder, -0.35, -0.1))
    return stage + success - dropped, reward, success & (stage == 3)


def _problems(
    held_out: Bool[np.ndarray, "64"], ids: str, validation: Sequence[int] | None = None
) -> tuple[ProblemSet, tuple[int, ...]]:
    table, weights = identities((INGREDIENTS,) * 3, ids)
    names = ["drawer_0", "drawer_1", "drawer_2"] if ids == "components" else ["contents"]
    train = np.setdiff1d(np.flatnonzero(~held_out), validation or [])
    return ProblemSet(table, train, np.flatnonzero(held_out), names, validation), weights


def _spaces() -> Spaces:
    places = [INGREDIENTS + 1] * 4
    return Spaces(
        counts(SIZE, SIZE, 4, *places),
        gymnasium.spaces.Discrete(len(ACTIONS), dtype=np.int32),
        counts(INGREDIENTS, INGREDIENTS),
    )


@spot.register
def _(env: Kitchen, state: KitchenState) -> Float[Array, "2"]:
    return draw.middle(state.position, SIZE, CELL)
