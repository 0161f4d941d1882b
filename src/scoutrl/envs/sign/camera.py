"""Where frames are seen from: level, 1.5 m high, 60 degrees from top to bottom.

Rows and columns are real numbers, 0 at the top and at the left edge of the image; depth is along the direction of view.
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

EYE = 1.5
"""Height of the camera."""
FIELD_OF_VIEW = math.radians(60)
"""From the top of the image to its bottom."""
NEAR = 0.04
"""Nothing is drawn nearer than this."""


def focal_length(height: int) -> float:
    """Focal length in pixels, across and down."""
    return height / 2 / math.tan(FIELD_OF_VIEW / 2)


class Camera(eqx.Module):
    """The cameras of several frames; every array is [frames, 1]."""

    x: Float[Array, "frames 1"]
    z: Float[Array, "frames 1"]
    cos: Float[Array, "frames 1"]
    sin: Float[Array, "frames 1"]
    height: int = eqx.field(static=True)
    width: int = eqx.field(static=True)

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return focal_length(self.height)

    def rays(self, columns: Array | np.ndarray) -> tuple[Array, Array]:
        """Steps (x, z) along the rays through `columns`, per metre of depth."""
        across = (columns - self.width / 2) / self.focal
        return self.cos + across * self.sin, -self.sin + across * self.cos

    def row(self, y: float, depth: Array) -> Array:
        """The row in which a point at height `y` is seen."""
        return self.height / 2 + self.focal * (EYE - y) / depth

    def span(self, start: tuple, end: tuple) -> tuple[Array, Array]:
        """The columns, left and right, between which the segment from (x, z) to (x, z) is seen; (0, 0) if it is not."""
        (depth, right), (depth_, right_) = self._seen(*start), self._seen(*end)
        visible = jnp.maximum(depth, depth_) > NEAR
        one = self._column(depth, right, depth_, right_)
        other = self._column(depth_, right_, depth, right)
        return jnp.where(visible, jnp.minimum(one, other), 0.0), jnp.where(visible, jnp.maximum(one, other), 0.0)

    def hull(self, corners: list[tuple]) -> tuple[Array, Array]:
        """The columns between which the upright prism over a convex polygon is seen."""
        spans = [self.span(corner, corners[i - 1]) for i, corner in enumerate(corners)]
        lefts = jnp.stack([jnp.where(right > left, left, jnp.inf) for left, right in spans])
        rights = jnp.stack([jnp.where(right > left, right, -jnp.inf) for left, right in spans])
        return lefts.min(0), rights.max(0)

    def _seen(self, x: Array | float, z: Array | float) -> tuple[Array, Array]:
        """Depth of a point, and how far to the right it is."""
        return (x - self.x) * self.cos - (z - self.z) * self.sin, (x - self.x) * self.sin + (z - self.z) * self.cos

    def _column(self, depth: Array, right: Array, other_depth: Array, other_right: Array) -> Array:
        """The column of one end of a segment, cut where it comes too near."""
        part = jnp.clip((NEAR - depth) / _off_zero(other_depth - depth), 0, 1) * (depth < NEAR)
        return self.width / 2 + self.focal * (right + part * (other_right - right)) / jnp.maximum(depth, NEAR)


def covered(span: tuple[Array, Array], columns: int) -> tuple[Array, Array]:
    """Which part 0 … 1 of each column lies in `span`, and the middle of that part: of the column, if there is none."""
    edges = np.expand_dims(np.arange(columns, dtype=np.float32), tuple(range(span[0].ndim - 1)))
    left, right = jnp.maximum(span[0], edges), jnp.minimum(span[1], edges + 1)
    part = jnp.maximum(right - left, 0.0)
    return part, jnp.where(part > 0, (left + right) / 2, edges + 0.5)


def slab(low: Array | float, high: Array | float, ray: Array) -> tuple[Array, Array]:
    """Depths at which a ray enters and leaves the space between two planes, given relative to its start."""
    ray = _off_zero(ray)
    one, other = low / ray, high / ray
    return jnp.minimum(one, other), jnp.maximum(one, other)


def _off_zero(x: Array) -> Array:
    """`x`, kept away from 0 so that one can divide by it."""
    return jnp.where(jnp.abs(x) < 1e-6, 1e-6, x)
