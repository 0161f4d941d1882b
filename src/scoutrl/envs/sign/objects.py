"""Boxes and keys, column by column: the three nearest ones that each column shows."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from scoutrl.envs.sign import world
from scoutrl.envs.sign.camera import NEAR, Camera, covered, slab

SHOWN = 3
"""Objects that a column shows at most."""
BOX = 0.8
"""Length of a box's edges."""
KEY_HEIGHT = 0.6
AWAY = 1e4
"""A depth at which there is nothing."""
KEY_LIGHT = 2.42
"""Keys are lit this much more strongly than all else."""
_LIGHT = np.float32(0.7 / 3.775)
"""How much of the light comes from +x, and from +z."""


class Prism(eqx.Module):
    """An upright block in an object's own frame: [-half, half] across, [low, high] along, from floor to top."""

    half: float = eqx.field(static=True)
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    bottom: float = eqx.field(static=True)
    top: float = eqx.field(static=True)


CUBE = Prism(BOX / 2, -BOX / 2, BOX / 2, 0.0, BOX)
BOW = Prism(0.1204, -0.7256, -0.1256, 0.0, KEY_HEIGHT)
HOLE = Prism(0.1204, -0.575, -0.277, 0.155, 0.445)
SHAFT = Prism(0.0876, -0.187, 0.7256, 0.2, 0.3876)
TEETH = (Prism(0.05, 0.34, 0.47, 0.0135, 0.2), Prism(0.05, 0.53, 0.665, 0.0135, 0.2))
KEY = Prism(0.1204, -0.7256, 0.7256, 0.0, KEY_HEIGHT)


class ObjectLayer(eqx.Module):
    """Objects in columns; every field is [frames, objects, width] and finite."""

    depth: Array
    """Where the ray meets the object; `AWAY` where it does not."""
    top: Array
    """The row in which the top begins."""
    edge: Array
    """The row in which the front begins."""
    bottom: Array
    """The row in which the front ends."""
    hole_top: Array
    hole_bottom: Array
    """Rows between which one sees through."""
    part: Array
    """Part of the column's width that the object takes."""
    shade: Array
    """Shade of the front; the top has 1."""
    colour: Array
    """0 blue, 1 red, 2 green."""


class Hidden(eqx.Module):
    """What the barrier hides, [frames, width]."""

    beyond: Array
    """Depth of the barrier."""
    part: Array
    """Part of the column's width that it takes."""

    def free(self, depth: Array) -> Array:
        """Which part of a column shows something at `depth`, [frames, width] or [frames, objects, width]."""
        beyond, part = (x if depth.ndim == x.ndim else x[:, None] for x in (self.beyond, self.part))
        return jnp.where(depth < AWAY, jnp.where(depth > beyond, 1 - part, 1.0), 0.0)


class _Rays(eqx.Module):
    """Rays in the frames of objects, and what is needed to go back; [frames, objects, width] or broadcasting to it."""

    camera: Camera
    x: Array
    z: Array
    start_x: Array
    start_z: Array

    def through(self, prism: Prism) -> tuple[Array, Array, Array]:
        """Depths at which rays enter and leave a block (`AWAY` if they miss it), and whether they enter from aside."""
        across = slab(-prism.half - self.start_x, prism.half - self.start_x, self.x)
        along = slab(prism.low - self.start_z, prism.high - self.start_z, self.z)
        enter, leave = jnp.maximum(across[0], along[0]), jnp.minimum(across[1], along[1])
        missed = (enter >= leave) | (enter < NEAR)
        return jnp.where(missed, AWAY, enter), jnp.where(missed, AWAY, leave), across[0] > along[0]


def boxes(camera: Camera, headings: Array, hidden: Hidden) -> ObjectLayer:
    """The three boxes at headings [frames, 3]."""
    rays, part = _towards(camera, world.OBJECTS[:3], headings, CUBE)
    enter, leave, aside = rays.through(CUBE)
    row = rays.camera.row
    nowhere = jnp.zeros_like(enter)
    return ObjectLayer(
        depth=enter,
        top=row(CUBE.top, leave),
        edge=row(CUBE.top, enter),
        bottom=row(CUBE.bottom, enter),
        hole_top=nowhere,
        hole_bottom=nowhere,
        part=part * hidden.free(enter),
        shade=_shade(rays, headings, aside, 1.0),
        colour=_colours(enter),
    )


def keys(camera: Camera, headings: Array, hidden: Hidden) -> ObjectLayer:
    """The three keys at headings [frames, 3].

    Bow, shaft and teeth are taken together: all rows from the uppermost to the lowest of them, less the hole.
    """
    rays, part = _towards(camera, world.OBJECTS[3:], headings, KEY)
    row = rays.camera.row
    bow, bow_leave, bow_aside = rays.through(BOW)
    shaft, shaft_leave, shaft_aside = rays.through(SHAFT)
    teeth = [rays.through(tooth)[0] for tooth in TEETH]
    has_bow, has_shaft = bow < AWAY, shaft < AWAY
    bottoms = [
        jnp.where(enter < AWAY, row(tooth.bottom, enter), 0.0) for tooth, enter in zip(TEETH, teeth, strict=True)
    ]
    bottoms += [jnp.where(has_bow, row(BOW.bottom, bow), 0.0), jnp.where(has_shaft, row(SHAFT.bottom, shaft), 0.0)]
    tops = [jnp.where(has_bow, row(BOW.top, bow_leave), AWAY), jnp.where(has_shaft, row(SHAFT.top, shaft_leave), AWAY)]
    through = slab(HOLE.low - rays.start_z, HOLE.high - rays.start_z, rays.z)
    open_ = has_bow & (through[0] <= bow) & (through[1] >= bow_leave)
    hole_top = row(HOLE.top, bow)
    depth = jnp.minimum(bow, shaft)
    return ObjectLayer(
        depth=depth,
        top=jnp.minimum(*tops),
        edge=jnp.where(has_bow, row(BOW.top, bow), row(SHAFT.top, shaft)),
        bottom=functools.reduce(jnp.maximum, bottoms),
        hole_top=hole_top,
        hole_bottom=jnp.where(open_, jnp.maximum(row(HOLE.bottom, bow_leave), hole_top), hole_top),
        part=part * hidden.free(depth),
        shade=_shade(rays, headings, jnp.where(bow < shaft, bow_aside, shaft_aside), KEY_LIGHT),
        colour=_colours(bow),
    )


def _towards(camera: Camera, places: np.ndarray, headings: Array, outline: Prism) -> tuple[_Rays, Array]:
    """Rays to objects at `places` [n, 2] in their own frames, and the part of each column that the outline takes."""
    (x, z), cos, sin = places.T[:, None], jnp.cos(headings), jnp.sin(headings)
    # The object's own axes are (cos, -sin), across, and (sin, cos), along.
    corners = [
        (x + across * cos + along * sin, z - across * sin + along * cos)
        for across, along in (
            (-outline.half, outline.low),
            (outline.half, outline.low),
            (outline.half, outline.high),
            (-outline.half, outline.high),
        )
    ]
    left, right = camera.hull(corners)
    part, columns = covered((left[..., None], right[..., None]), camera.width)
    each = jax.tree.map(lambda x: x[..., None], camera)
    ray_x, ray_z = each.rays(columns)
    away_x, away_z = (camera.x - x)[..., None], (camera.z - z)[..., None]
    cos, sin = cos[..., None], sin[..., None]
    return _Rays(
        each,
        ray_x * cos - ray_z * sin,
        ray_x * sin + ray_z * cos,
        away_x * cos - away_z * sin,
        away_x * sin + away_z * cos,
    ), part


def _shade(rays: _Rays, headings: Array, aside: Array, strength: float) -> Array:
    """Shade of the face that the ray enters by."""
    cos, sin = jnp.cos(headings)[..., None], jnp.sin(headings)[..., None]
    facing = jnp.where(aside, -jnp.sign(rays.x) * (cos - sin), -jnp.sign(rays.z) * (sin + cos))
    return jnp.minimum(1.0, 0.65 + strength * _LIGHT * jnp.maximum(facing, 0.0))


def _colours(like: Array) -> Array:
    return jnp.broadcast_to(jnp.arange(3.0)[:, None], like.shape)


def ranks(depth: Array) -> Array:
    """The place of each object [frames, objects, width] among those of its column, 0 the nearest."""
    order = np.arange(depth.shape[1])
    nearer = depth[:, :, None] < depth[:, None]
    tied = (depth[:, :, None] == depth[:, None]) & (order[:, None] < order)[None, ..., None]
    return (nearer | tied).sum(1, dtype=jnp.int32)


def nearest(objects: ObjectLayer, rank: Array) -> tuple[ObjectLayer, ...]:
    """The objects that are nearest in each column, nearest first, each [frames, width]."""

    def at(place: int) -> ObjectLayer:
        return jax.tree.map(lambda x: jnp.where(rank == place, x, 0).sum(1), objects)

    return tuple(at(place) for place in range(SHOWN))
