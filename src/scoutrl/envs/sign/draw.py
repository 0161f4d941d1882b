"""Frames of the sign family: many at a time, whether they are asked for together or one by one under vmap."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array, ArrayLike, Float, Int, UInt8

from scoutrl.envs.sign.camera import Camera
from scoutrl.envs.sign.columns import columns
from scoutrl.envs.sign.objects import nearest, ranks
from scoutrl.envs.sign.pixels import joined, pixels
from scoutrl.errors import ScoutError

HEIGHT, WIDTH = 60, 80
BLOCK, PART = 64, 8
"""Frames that go through all stages at a time, so that what lies between two stages stays in the cache of a processor;
and those that a stage takes at a time."""


def draw(
    x: ArrayLike,
    z: ArrayLike,
    heading: ArrayLike,
    sign_colour: ArrayLike,
    object_headings: ArrayLike,
    *,
    height: int = HEIGHT,
    width: int = WIDTH,
) -> UInt8[Array, "n height width 3"]:
    """What is seen from n places.

    Args:
        x: [n], metres, 0 to 10.
        z: [n], metres, 0 to 13.
        heading: [n], radians; 0 looks along x, a quarter turn against z.
        sign_colour: [n], 0 blue, 1 red, 2 green: the word on the sign.
        object_headings: [n, 6], radians: boxes blue, red, green, then keys blue, red, green.
        height: rows of the frames, even, 8 to 512.
        width: columns of the frames, 8 to 512.

    Raises:
        ScoutError: shapes that do not fit each other, or a size out of range.
    """
    check_size(height, width)
    poses = [jnp.asarray(given, jnp.float32) for given in (x, z, heading)]
    colour, headings = jnp.asarray(sign_colour, jnp.int32), jnp.asarray(object_headings, jnp.float32)
    shape = poses[0].shape
    if len(shape) != 1 or any(given.shape != shape for given in (*poses, colour)) or headings.shape != (*shape, 6):
        raise ScoutError(
            "draw takes x, z, heading and sign_colour of shape [n], object_headings of shape [n, 6]; they have shapes "
            + ", ".join(str(given.shape) for given in (*poses, colour, headings))
        )
    return _frames(height, width)(*poses, colour, headings)


def look(
    x: Float[Array, ""],
    z: Float[Array, ""],
    heading: Float[Array, ""],
    colour: Int[Array, ""],
    headings: Float[Array, "6"],
    height: int,
    width: int,
) -> UInt8[Array, "height width 3"]:
    """One frame; under vmap, however deep, all frames are drawn together."""
    one = jax.tree.map(lambda given: given[None], (x, z, heading, colour, headings))
    return _frames(height, width)(*one)[0]


def check_size(height: int, width: int) -> None:
    """Raise a ScoutError if no frames of this size can be drawn."""
    if not 8 <= height <= 512 or height % 2 or not 8 <= width <= 512:
        raise ScoutError(f"frames have 8 to 512 rows, an even number, and 8 to 512 columns; not {height!r} x {width!r}")


@functools.cache
def _frames(height: int, width: int) -> Callable[..., Array]:
    """`(x, z, heading, colour, headings) -> frames`, each with a leading axis, for one size of frames."""

    @custom_vmap
    def frames(*given: Array) -> Array:
        return _in_chunks(given, height, width)

    @frames.def_vmap
    def many(count: int, batched: list[bool], *given: Array) -> tuple[Array, bool]:
        spread = [x if has else jnp.broadcast_to(x, (count, *x.shape)) for x, has in zip(given, batched, strict=True)]
        each = spread[0].shape[1]
        drawn = frames(*(x.reshape(count * each, *x.shape[2:]) for x in spread))
        return drawn.reshape(count, each, height, width, 3), True

    return frames


@functools.partial(jax.jit, static_argnums=(1, 2))
def _in_chunks(given: tuple[Array, ...], height: int, width: int) -> Array:
    """A block of frames after another; on a CPU each stage is a loop of its own over the block's parts.

    XLA would join the stages and so compute each of them over and over again; loops it does not join.
    """
    count = len(given[0])
    if count == 0:
        return jnp.zeros((0, height, width, 3), jnp.uint8)

    def on_cpu(*given: Array) -> Array:
        part = min(PART, -(-count // 2))
        block = min(BLOCK, part * -(-count // part))
        in_parts = functools.partial(_stages, over=functools.partial(_by_parts, part))
        return _by_parts(block, lambda one: in_parts(one, height, width), given)

    def elsewhere(*given: Array) -> Array:
        return _stages(given, height, width, over=lambda stage, x: stage(x))

    return jax.lax.platform_dependent(*given, cpu=on_cpu, default=elsewhere)


def _by_parts(size: int, stage: Callable[[Any], Any], given: Any) -> Any:
    """`stage` of everything in `given`, whose arrays are [frames, …], `size` frames at a time."""
    count = len(jax.tree.leaves(given)[0])
    rest = -count % size

    def cut(x: Array) -> Array:
        filled = jnp.concatenate([x, jnp.zeros((rest, *x.shape[1:]), x.dtype)]) if rest else x
        return filled.reshape(-1, size, *x.shape[1:])

    done = jax.lax.map(stage, jax.tree.map(cut, given))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:count], done)


def _stages(given: tuple[Array, ...], height: int, width: int, over: Callable[[Callable, Any], Any]) -> Array:
    """The frames; `over(stage, x)` does one stage of the work."""
    x, z, heading, colour, headings = given
    camera = Camera(x[:, None], z[:, None], jnp.cos(heading)[:, None], jnp.sin(heading)[:, None], height, width)
    shown, boxes, keys = over(lambda part: columns(*part), (camera, colour, headings))
    objects = jax.tree.map(lambda box, key: jnp.concatenate([box, key], axis=1), boxes, keys)
    rank = over(ranks, objects.depth)
    near = over(lambda part: nearest(*part), (objects, rank))
    halves = over(lambda part: pixels(*part), (camera, shown, near))
    return over(lambda part: joined(*part), halves)
