"""The second stage of drawing: the layers of each column laid over one another, row by row.

Everything is [frames, rows, width] for one half of the image at a time and one colour at a time: the upper half has a
ceiling, the lower one a floor and objects. Whatever has an edge covers part of a row.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, UInt8

from scoutrl.envs.sign import glyphs, world
from scoutrl.envs.sign.camera import EYE, Camera
from scoutrl.envs.sign.columns import Layers, Letters, Upright
from scoutrl.envs.sign.objects import ObjectLayer

PLASTER = 155.2
"""Mean red of the walls before shading."""
GREENISH, BLUISH = 0.9936, 0.968
"""Green and blue of walls and floor, as parts of their red."""
CEILING = 106.6
PAPER = 255 * 0.65
DARK, BRIGHT = 51.5, 221.5
"""Red of the two kinds of tiles."""
TILE = 0.25
"""Length of a tile."""


class Colour(eqx.Module):
    """Three planes of a picture, 0 … 255."""

    red: Array
    green: Array
    blue: Array

    def under(self, cover: Array, other: "Colour") -> "Colour":
        """With `other` laid over it."""
        return jax.tree.map(lambda below, above: below + cover * (above - below), self, other)


def pixels(camera: Camera, shown: Layers, objects: tuple[ObjectLayer, ...]) -> tuple[Array, Array]:
    """The two halves of the frames, from their layers: int32 [frames, height / 2, width], red in the lowest byte."""
    half = camera.height // 2
    rows = np.arange(camera.height, dtype=np.float32)[None, :, None]
    upper, lower = rows[:, :half], rows[:, half:]
    above = _sign(_upper(shown.wall, upper), camera, shown, upper)
    below = _sign(_lower(shown, camera, lower), camera, shown, lower)
    return _words(above), _words(_objects(below, objects, lower))


def joined(above: Array, below: Array) -> UInt8[Array, "frames height width 3"]:
    """The frames, from what `pixels` gives."""
    words = jnp.concatenate([above, below], axis=1)
    return jax.lax.bitcast_convert_type(words, jnp.uint8)[..., :3]


def _between(top: Array, bottom: Array, rows: np.ndarray) -> Array:
    """Which part of each row lies between `top` and `bottom`."""
    most = jnp.clip(bottom - top, 0, 1)[:, None]
    return jnp.maximum(jnp.minimum(jnp.minimum(bottom[:, None] - rows, rows + 1 - top[:, None]), most), 0)


def _upper(wall: Upright, rows: np.ndarray) -> Colour:
    """Ceiling and wall."""
    ceiling = Colour(*(jnp.float32(CEILING),) * 3)
    return ceiling.under(jnp.clip(rows + 1 - wall.top[:, None], 0, 1), _tinted(PLASTER * wall.shade[:, None]))


def _lower(shown: Layers, camera: Camera, rows: np.ndarray) -> Colour:
    """Floor and wall."""
    floor = _floor(camera, shown, rows)
    wall = PLASTER * shown.wall.shade[:, None]
    return _tinted(floor + jnp.clip(shown.wall.bottom[:, None] - rows, 0, 1) * (wall - floor))


def _tinted(red: Array) -> Colour:
    """Walls and floor, by their red."""
    return Colour(red, red * GREENISH, red * BLUISH)


def _sign(below: Colour, camera: Camera, shown: Layers, rows: np.ndarray) -> Colour:
    """The sign over what is behind it."""
    sign = shown.sign
    cover = _between(sign.top, sign.bottom, rows) * sign.part[:, None]
    face = _letters(shown.letters, rows, camera) * sign.shade[:, None]
    return below.under(cover, Colour(face, face, face))


def _letters(letters: Letters, rows: np.ndarray, camera: Camera) -> Array:
    """How bright the face of the sign is."""
    # Samples are counted from the top of the sign, and lie in the middle of what they stand for.
    from_top = (world.SIGN_TOP - EYE) * glyphs.SIZE - 0.5
    place = from_top + (rows + 0.5 - camera.height / 2) * letters.pitch[:, None]
    place = jnp.clip(place, 0.0, glyphs.SIZE - 1.001)
    whole = place.astype(jnp.int32)
    table = jnp.asarray(glyphs.table())
    pair = table.at[letters.first[:, None] + whole].get(mode="promise_in_bounds").astype(jnp.int32)
    here, next_ = (pair & 255).astype(jnp.float32), (pair >> 8).astype(jnp.float32)
    return (here + (place - whole) * (next_ - here)) * (PAPER / 255)


def _floor(camera: Camera, shown: Layers, rows: np.ndarray) -> Array:
    """A chequered floor, blurred as textures are: by the longest step from one pixel to the next."""
    down = rows + 0.5 - camera.height / 2
    depth = camera.focal * EYE / TILE / down
    x = (camera.x / TILE)[:, None] + depth * shown.ray_x[:, None]
    z = (camera.z / TILE)[:, None] + depth * shown.ray_z[:, None]
    across = jnp.maximum(abs(camera.cos), abs(camera.sin))[:, None] / camera.focal
    along = jnp.maximum(abs(shown.ray_x), abs(shown.ray_z))[:, None] * (1 / down)
    step = depth * jnp.maximum(across, along)
    sharpness = 2 / jnp.clip(step, 0.05, 1)
    contrast = jnp.clip(2 - step, 0, 1) * (BRIGHT - DARK) / 2
    return (BRIGHT + DARK) / 2 + contrast * _wave(x, sharpness) * _wave(z, sharpness)


def _wave(x: Array, sharpness: Array) -> Array:
    """-1 and 1 by turns, with ramps of this slope at whole numbers."""
    turns = x / 2 - 0.25
    to_edge = jnp.abs((turns - jnp.floor(turns)) * 2 - 1) - 0.5
    return jnp.clip(to_edge * sharpness, -1, 1)


def _objects(below: Colour, objects: tuple[ObjectLayer, ...], rows: np.ndarray) -> Colour:
    """The objects, farthest first."""
    for one in reversed(objects):
        seen = _between(one.top, one.bottom, rows) - _between(one.hole_top, one.hole_bottom, rows)
        # The top is bright, the front shaded.
        shade = 255 - jnp.clip(rows + 1 - one.edge[:, None], 0, 1) * (255 * (1 - one.shade[:, None]))
        channels = (jnp.where(one.colour == colour, 1.0, 0.0)[:, None] * shade for colour in (1, 2, 0))
        below = below.under(seen * one.part[:, None], Colour(*channels))
    return below


def _words(picture: Colour) -> Array:
    """Three planes as one of 32-bit words, which keeps the loop over a row fast."""
    red, green, blue = ((plane + 0.5).astype(jnp.int32) for plane in (picture.red, picture.green, picture.blue))
    return red | green << 8 | blue << 16
