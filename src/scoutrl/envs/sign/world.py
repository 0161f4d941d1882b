"""The world of the sign: where walls, objects and the sign are, and what counts as touching them.

Coordinates are (x, z) in metres, y upwards. A heading d looks along (cos d, -sin d), its right is (sin d, cos d).
"""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

COLOURS = ("blue", "red", "green")
KINDS = ("box", "key")

ROOM = np.array((10.0, 13.0), np.float32)
"""The room spans x in 0 … 10, z in 0 … 13."""
BARRIER = np.array(((6.0, 6.5), (10.0, 6.75)), np.float32)
"""Two opposite corners of the solid barrier."""
WALL_HEIGHT = 2.74
SEGMENTS = np.array(
    [
        ((10, 0), (10, 6.5)),
        ((0, 0), (10, 0)),
        ((0, 6.5), (0, 0)),
        ((10, 6.5), (6, 6.5)),
        ((0, 13), (0, 6.75)),
        ((6, 13), (0, 13)),
        ((10, 6.75), (10, 13)),
        ((6, 6.75), (10, 6.75)),
        ((10, 13), (6, 13)),
        ((6, 6.5), (6, 6.75)),
        ((0, 6.75), (0, 6.5)),
    ],
    np.float32,
)
"""[11, 2, 2]: the ends of what cannot be walked through."""
OBJECTS = np.array([(1, 1), (9, 1), (9, 5), (5, 1), (1, 5), (1, 9)], np.float32)
"""Boxes, then keys, each blue, red, green."""
OBJECT_COLOURS = np.array((0, 1, 2, 0, 1, 2), np.int32)
OBJECT_KINDS = np.array((0, 0, 0, 1, 1, 1), np.int32)

AGENT_RADIUS = 0.4
STRIDE = 0.7
TURN = math.pi / 4
RADII = np.repeat(np.array((0.5656854, 0.7355467), np.float32), 3)
"""Radius of each object."""
TOUCH = RADII + np.float32(AGENT_RADIUS + 1.1 * STRIDE)
"""An object nearer than this is touched."""

SIGN_X, SIGN_DEPTH = 10.0, 0.05
SIGN_Z = 10.25
SIGN_BOTTOM, SIGN_TOP = 0.85, 1.85
WORDS = ("BLUE", "RED", "GREEN")
"""What the sign says, by colour; each letter is one metre wide."""


def blocked(x: Float[Array, ""], z: Float[Array, ""]) -> Bool[Array, ""]:
    """Whether nobody can stand at (x, z): a wall or an object is too near."""
    place = jnp.stack([x, z])[None]
    start, along = SEGMENTS[:, 0], SEGMENTS[:, 1] - SEGMENTS[:, 0]
    part = jnp.clip(((place - start) * along).sum(1) / (along * along).sum(1), 0, 1)
    gaps = _length(place - start - part[:, None] * along)
    return (gaps < AGENT_RADIUS).any() | (_length(place - OBJECTS) < AGENT_RADIUS + RADII).any()


def touched(x: Float[Array, ""], z: Float[Array, ""]) -> Bool[Array, "6"]:
    """Which objects are touched from (x, z); never more than one."""
    return _length(jnp.stack([x, z])[None] - OBJECTS) < TOUCH


def _length(steps: Float[Array, "n 2"]) -> Float[Array, " n"]:
    return jnp.sqrt((steps * steps).sum(1))
