"""The sign's world from above, for people."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from scoutrl.envs import draw as paint
from scoutrl.envs.sign import world

CELL = 24
"""Pixels a metre."""
PAINTS = (paint.BLUE, paint.RED, paint.GREEN)


def top_view(
    x: Float[Array, ""],
    z: Float[Array, ""],
    heading: Float[Array, ""],
    colour: Int[Array, ""],
    goal: Int[Array, ""] | None,
    elapsed: Float[Array, ""],
) -> UInt8[Array, "height width 3"]:
    """x to the right, z downwards; boxes square, keys round, the one of `goal` ringed; the sign a bar of its colour."""
    image = paint.board(10, 13, CELL, below=8)
    for spot, kind, tone in zip(world.OBJECTS, world.OBJECT_KINDS, world.OBJECT_COLOURS, strict=True):
        shape = paint.square if kind == 0 else paint.disc
        image = shape(image, place(*spot), 0.4, PAINTS[tone])
    low, high = world.BARRIER
    for part in np.linspace(low[0] + 0.125, high[0] - 0.125, 16):
        image = paint.square(image, place(part, (low[1] + high[1]) / 2), 0.125, paint.INK)
    word = jnp.asarray(np.stack(PAINTS))[colour]
    for part in np.linspace(-1.5, 1.5, 13):
        image = paint.square(image, place(world.SIGN_X - 0.12, world.SIGN_Z + part), 0.125, word)
    if goal is not None:
        wanted = jnp.asarray(world.OBJECTS)[goal * 3 + colour]
        image = paint.ring(image, place(wanted[0], wanted[1]), 0.62, paint.INK)
    image = paint.disc(image, place(x, z), world.AGENT_RADIUS, paint.INK)
    ahead = place(x + 0.45 * jnp.cos(heading), z - 0.45 * jnp.sin(heading))
    image = paint.disc(image, ahead, 0.17, paint.GOLD)
    return paint.finish(image, elapsed)


def place(x: Float[Array, ""] | float, z: Float[Array, ""] | float) -> Float[Array, "2"]:
    """A point of the world as a spot on the board, whose cells are metres and whose y points up."""
    return jnp.stack([jnp.asarray(x) - 0.5, 12.5 - jnp.asarray(z)])
