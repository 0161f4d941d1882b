"""The first stage of drawing: one ray a column, and for each layer the rows that it covers there.

The camera looks level, so whatever is upright keeps its depth along a column: all that a column shows are intervals of
rows. Where an edge falls within a column, the layer takes part of the column's width.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.envs.sign import glyphs, world
from scoutrl.envs.sign.camera import NEAR, Camera, covered, slab
from scoutrl.envs.sign.objects import Hidden, ObjectLayer, boxes, keys

LIT, UNLIT = 0.8356, 0.65
"""Shades of the walls that face +x or +z, and of those that face -x or -z, of the sign and of the ceiling."""
_WORDS = glyphs.word_letters()
_LENGTHS = (_WORDS >= 0).sum(1).astype(np.float32)


class Upright(eqx.Module):
    """A layer that begins and ends in these rows of each column, [frames, width]."""

    top: Array
    bottom: Array
    part: Array
    """Part of the column's width that it takes."""
    shade: Array


class Letters(eqx.Module):
    """What is written on the sign in each column, [frames, width]."""

    pitch: Array
    """Samples of a letter a row."""
    first: Array
    """Where the column's samples begin in the table of letters."""


class Layers(eqx.Module):
    """All that the columns show but the objects."""

    ray_x: Array
    ray_z: Array
    wall: Upright
    """The nearer one of outer wall and barrier, blended where their edge is."""
    sign: Upright
    """Its shade is the part of it that is not its black edge."""
    letters: Letters


def columns(camera: Camera, colour: Array, headings: Array) -> tuple[Layers, ObjectLayer, ObjectLayer]:
    """What the columns of frames with signs `colour` [frames] and objects at `headings` [frames, 6] show.

    Boxes and keys are given apart: joined here they would not be computed as fast.
    """
    ray_x, ray_z = camera.rays(np.arange(camera.width, dtype=np.float32)[None] + 0.5)
    barrier, depth = _barrier(camera)
    hidden = Hidden(depth, barrier.part)
    wall = jax.tree.map(lambda far, near: far + barrier.part * (near - far), _outer_wall(camera, ray_x, ray_z), barrier)
    layers = Layers(ray_x, ray_z, wall, *_sign(camera, colour, hidden))
    return layers, boxes(camera, headings[:, :3], hidden), keys(camera, headings[:, 3:], hidden)


def _upright(camera: Camera, depth: Array, bottom: float, top: float, part: Array, shade: Array) -> Upright:
    return Upright(camera.row(top, depth), camera.row(bottom, depth), part, shade)


def _outer_wall(camera: Camera, ray_x: Array, ray_z: Array) -> Upright:
    """The wall of the room where the ray leaves it."""
    to_x = slab(-camera.x, world.ROOM[0] - camera.x, ray_x)[1]
    to_z = slab(-camera.z, world.ROOM[1] - camera.z, ray_z)[1]
    lit = jnp.where(to_x < to_z, ray_x < 0, ray_z < 0)
    depth = jnp.maximum(jnp.minimum(to_x, to_z), NEAR)
    return _upright(camera, depth, 0.0, world.WALL_HEIGHT, jnp.ones_like(depth), jnp.where(lit, LIT, UNLIT))


def _barrier(camera: Camera) -> tuple[Upright, Array]:
    """The barrier, and its depth."""
    (low_x, low_z), (high_x, high_z) = world.BARRIER
    part, middles = covered(
        camera.hull([(low_x, low_z), (high_x, low_z), (high_x, high_z), (low_x, high_z)]), camera.width
    )
    ray_x, ray_z = camera.rays(middles)
    to_x = slab(low_x - camera.x, high_x - camera.x, ray_x)
    to_z = slab(low_z - camera.z, high_z - camera.z, ray_z)
    enter, leave = jnp.maximum(to_x[0], to_z[0]), jnp.minimum(to_x[1], to_z[1])
    part = jnp.where((enter < leave) & (enter > NEAR), part, 0.0)
    lit = (to_z[0] > to_x[0]) & (ray_z < 0)
    depth = jnp.maximum(enter, NEAR)
    return _upright(camera, depth, 0.0, world.WALL_HEIGHT, part, jnp.where(lit, LIT, UNLIT)), depth


def _sign(camera: Camera, colour: Array, hidden: Hidden) -> tuple[Upright, Letters]:
    """The sign, where the barrier leaves it free, and what is written on it."""
    length = jnp.asarray(_LENGTHS)[colour][:, None]
    face, left, right = world.SIGN_X - world.SIGN_DEPTH, world.SIGN_Z - length / 2, world.SIGN_Z + length / 2
    white, middles = covered(camera.span((face, left), (face, right)), camera.width)
    black = [
        covered(camera.span((face, end), (world.SIGN_X, end)), camera.width)[0] * seen
        for end, seen in ((left, camera.z < left), (right, camera.z > right))
    ]
    ray_x, ray_z = camera.rays(middles)
    ahead = ray_x > 1e-3
    depth = jnp.maximum((face - camera.x) / jnp.where(ahead, ray_x, 1.0), NEAR)
    whole = white + black[0] + black[1]
    part = whole * ahead * hidden.free(depth)
    sign = _upright(camera, depth, world.SIGN_BOTTOM, world.SIGN_TOP, part, white / jnp.maximum(whole, 1e-3))
    # Texture of a distance: as blurred across as down, by whichever is more.
    width = depth / camera.focal / jnp.clip(ray_x, 0.02, 1.0)
    level = jnp.clip(jnp.round(2 * jnp.log2(width / glyphs.FINEST)), 0, glyphs.LEVELS - 1).astype(jnp.int32)
    along = jnp.clip(camera.z + ray_z * depth - left, 0.0, length - 1e-3)
    letter = jnp.take_along_axis(jnp.asarray(_WORDS)[colour], along.astype(jnp.int32), axis=1)
    sample = ((along % 1.0) * glyphs.SIZE).astype(jnp.int32)
    first = ((level * len(glyphs.LETTERS) + letter) * glyphs.SIZE + sample) * glyphs.SIZE
    return sign, Letters(depth / camera.focal * glyphs.SIZE, first)
