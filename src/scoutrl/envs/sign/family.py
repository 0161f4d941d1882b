"""3D visual navigation: read the sign behind the barrier, then go to the box or the key of that colour."""

from typing import Literal

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from scoutrl.envs import draw as paint
from scoutrl.envs.base import Action, Goal, MetaEnv, Observation, Spaces, Step
from scoutrl.envs.describe import Description, Symbol
from scoutrl.envs.problems import Problem, ProblemSet
from scoutrl.envs.sign import world
from scoutrl.envs.sign.draw import HEIGHT, WIDTH, check_size, look
from scoutrl.envs.sign.glyphs import face
from scoutrl.envs.sign.top import CELL, PAINTS, top_view
from scoutrl.envs.spot import spot

ACTIONS = ("turn left", "turn right", "forward", "end episode")
"""What each of the four actions is called; the last one steps back, then ends the episode."""
LEFT, RIGHT, FORWARD, END = range(len(ACTIONS))
HORIZON = 20
STARTS = {"paper": ((4.4, 4.4), (4.6, 5.6)), "miniworld": ((3.6, 3.6), (5.4, 6.4))}
"""Two opposite corners (x, z) of the area where episodes start."""


class SignState(eqx.Module):
    """48 bytes from which the observation can be drawn at any time."""

    x: Float[Array, ""]
    z: Float[Array, ""]
    heading: Float[Array, ""]
    objects: Float[Array, "6"]
    """Headings of the objects: looks only."""
    colour: Int[Array, ""]
    """What the sign says: the problem."""
    goal: Int[Array, ""]
    steps: Int[Array, ""]


class Sign(MetaEnv):
    """`sign`: three problems, the colours on the sign, all of them in both splits (Liu et al. 2021, section 6.4)."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    start: Literal["paper", "miniworld"] = eqx.field(static=True)
    """Where episodes start."""
    height: int = eqx.field(static=True)
    """Rows of the image."""
    width: int = eqx.field(static=True)
    """Columns of the image."""

    def __init__(self, start: Literal["paper", "miniworld"] = "paper", height: int = HEIGHT, width: int = WIDTH):
        """Make the family.

        Args:
            start: the area in which episodes start: the one of the paper, or the larger one of Miniworld's `Sign-v0`.
            height: rows of the image, even, 8 to 512.
            width: columns of the image, a multiple of 4, 8 to 512.
        """
        check_size(height, width)
        self.problems = ProblemSet(range(3), range(3), range(3), ["colour"])
        self.spaces = Spaces(
            gymnasium.spaces.Box(0, 255, (height, width, 3), np.uint8),
            gymnasium.spaces.Discrete(4, dtype=np.int32),
            gymnasium.spaces.Discrete(len(world.KINDS), dtype=np.int32),
        )
        self.horizon, self.start, self.height, self.width = HORIZON, start, height, width

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[SignState, Observation]:
        """Draw the pose, the objects' headings and the goal."""
        place, turn, kind = jax.random.split(key, 3)
        low, high = np.array(STARTS[self.start], np.float32)
        x, z = jax.random.uniform(place, (2,), minval=low, maxval=high)
        headings = jax.random.uniform(turn, (7,), minval=-jnp.pi, maxval=jnp.pi)
        goal = jax.random.randint(kind, (), 0, len(world.KINDS))
        state = SignState(x, z, headings[0], headings[1:], jnp.asarray(problem)[0], goal, jnp.int32(0))
        return state, self.look(state)

    def goal(self, state: SignState) -> Goal:
        """0 for the box, 1 for the key."""
        return state.goal

    def step(self, state: SignState, action: Action, key: PRNGKeyArray) -> tuple[SignState, Step]:
        """Turn or move; touching any object ends the episode."""
        state = _moved(state, action)
        touched = world.touched(state.x, state.z)
        wanted = (state.colour == world.OBJECT_COLOURS) & (state.goal == world.OBJECT_KINDS)
        reward = jnp.where(touched.any(), jnp.where((touched & wanted).any(), 1.0, -1.0), 0.0)
        over = touched.any() | (action == END)
        return state, Step(self.look(state), reward, over, state.steps >= HORIZON)

    def look(self, state: SignState) -> Observation:
        """What is seen in `state`, uint8 [height, width, 3]: observations need not be kept where states are."""
        return look(state.x, state.z, state.heading, state.colour, state.objects, self.height, self.width)

    def render(self, state: SignState) -> UInt8[Array, "height width 3"]:
        """From above: the agent and what it sees of the room, objects in their colours, the wanted one ringed."""
        return self.picture(state, goal=True)

    def picture(self, state: SignState, goal: bool) -> UInt8[Array, "height width 3"]:
        """As `render`, with the ring or without."""
        wanted = state.goal if goal else None
        return top_view(state.x, state.z, state.heading, state.colour, wanted, state.steps / HORIZON)

    def describe(self) -> Description:
        """Actions, symbols, box or key; the sign is shown large beside the frame."""
        return description()


def description() -> Description:
    """The sign's world in words, the same in every renderer."""
    colours = [
        (f"the {colour} {kind}", shape, 0.4, PAINTS[tone])
        for kind, shape in zip(world.KINDS, (paint.square, paint.disc), strict=True)
        for tone, colour in enumerate(world.COLOURS)
    ]
    legend = (
        Symbol("the agent, and where it looks", paint.symbol(_agent)),
        *(Symbol(name, paint.symbol(shape, size, tone)) for name, shape, size, tone in colours),
        Symbol("where to go, once it is told", paint.symbol(paint.ring, 0.48, paint.INK)),
        Symbol("the barrier", paint.symbol(paint.square, 0.3, paint.INK)),
        Symbol("the sign, in the colour of its word", paint.symbol(paint.square, 0.3, PAINTS[0])),
        Symbol("time used", paint.time_bar()),
    )
    return Description(
        ACTIONS,
        legend,
        goal=lambda goal: world.KINDS[int(goal)],
        problem=lambda problem: f"the sign says {world.WORDS[int(problem[0])]}",
        beside=lambda problem: face(world.WORDS[int(problem[0])]),
    )


def _agent(canvas: paint.Canvas, spot: np.ndarray) -> paint.Canvas:
    """As in the view from above, looking right."""
    canvas = paint.disc(canvas, spot, world.AGENT_RADIUS, paint.INK)
    return paint.disc(canvas, spot + np.array((0.3, 0), np.float32), 0.17, paint.GOLD)


def _moved(state: SignState, action: Action) -> SignState:
    """Turned, moved if nothing is in the way, and one step older."""
    turn = jnp.where(action == LEFT, world.TURN, jnp.where(action == RIGHT, -world.TURN, 0.0))
    stride = jnp.where(action == FORWARD, world.STRIDE, jnp.where(action == END, -world.STRIDE, 0.0))
    heading = state.heading + turn
    x, z = state.x + stride * jnp.cos(heading), state.z - stride * jnp.sin(heading)
    stay = world.blocked(x, z)
    x, z = jnp.where(stay, state.x, x), jnp.where(stay, state.z, z)
    return SignState(x, z, heading, state.objects, state.colour, state.goal, state.steps + 1)


@spot.register
def _(env: Sign, state: SignState) -> Float[Array, "2"]:
    return CELL * jnp.stack([state.x, state.z])
