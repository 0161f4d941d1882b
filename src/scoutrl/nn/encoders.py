"""From an element of a space to a vector of features; the encoder is chosen by the space."""

import abc
import functools
import math

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from jaxtyping import Array, Float, UInt8

from scoutrl.envs.spaces import is_image
from scoutrl.errors import ScoutError
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear


class Encoder(eqx.Module):
    """Elements of one space, with any leading axes, to features."""

    size: eqx.AbstractVar[int]
    """Length of the feature vector."""

    @abc.abstractmethod
    def __call__(self, x: Array) -> Float[Array, "*batch size"]:
        """Features of `x` [..., *shape of the space]."""


class OneHot(Encoder):
    """Each integer of a Discrete or MultiDiscrete space as a one-hot vector, all of them side by side."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    starts: tuple[int, ...] = eqx.field(static=True)
    axes: int = eqx.field(static=True)
    size: int = eqx.field(static=True)

    def __init__(self, space: Discrete | MultiDiscrete):
        self.axes = len(space.shape or ())
        numbers = space.n if isinstance(space, Discrete) else space.nvec
        self.sizes = tuple(int(n) for n in np.ravel(numbers))
        self.starts = tuple(int(n) for n in np.ravel(space.start))
        self.size = sum(self.sizes)

    def __call__(self, x: Array) -> Float[Array, "*batch size"]:
        """One comparison with the running numbers of all features: no gather, no scatter in its gradient."""
        flat = x.reshape(*x.shape[: x.ndim - self.axes], len(self.sizes)).astype(jnp.int32)
        hits = [
            jax.nn.one_hot(flat[..., i] - start, size)
            for i, (size, start) in enumerate(zip(self.sizes, self.starts, strict=True))
        ]
        return jnp.concatenate(hits, axis=-1)


class Vector(Encoder):
    """The numbers of a Box, brought to -1 … 1 where the Box has finite bounds."""

    offset: tuple[float, ...] = eqx.field(static=True)
    scale: tuple[float, ...] = eqx.field(static=True)
    axes: int = eqx.field(static=True)
    size: int = eqx.field(static=True)

    def __init__(self, space: Box):
        low, high = np.ravel(space.low).astype(np.float64), np.ravel(space.high).astype(np.float64)
        # Boxes without bounds are often written with the largest float: such numbers scale nothing.
        bounded = (np.abs(low) < 1e6) & (np.abs(high) < 1e6) & (high > low)
        scale = np.where(bounded, 2 / np.where(bounded, high - low, 1), 1)
        self.scale = tuple(scale.tolist())
        self.offset = tuple(np.where(bounded, -1 - low * scale, 0).tolist())
        self.axes, self.size = len(space.shape), math.prod(space.shape)

    def __call__(self, x: Array) -> Float[Array, "*batch size"]:
        """Scale and flatten."""
        flat = x.astype(jnp.float32).reshape(*x.shape[: x.ndim - self.axes], self.size)
        scale, offset = (jnp.broadcast_to(jnp.array(x, jnp.float32), flat.shape) for x in (self.scale, self.offset))
        return flat * scale + offset


class Image(Encoder):
    """RGB images: cut into patches, multiply, merge 2x2 twice, multiply. No convolution: XLA does them slowly."""

    patch: int = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    size: int = eqx.field(static=True)
    embed: Linear
    merge: Linear
    again: Linear
    out: Linear

    def __init__(self, space: Box, rng: Rng, patch: int = 5, width: int = 32, size: int = 128):
        """Draw an encoder for images [height, width, channels] of uint8."""
        self.patch, self.size = patch, size
        self.shape = tuple(-(-side // (4 * patch)) for side in space.shape[:2])
        self.embed = Linear(patch * patch * space.shape[2], width, rng)
        self.merge = Linear(4 * width, width, rng)
        self.again = Linear(4 * width, 2 * width, rng)
        self.out = Linear(math.prod(self.shape) * 2 * width, size, rng)

    def __call__(self, x: UInt8[Array, "*batch height width channels"]) -> Float[Array, "*batch size"]:
        """Pad with black to whole squares of 4x4 patches, and lay patches that are to merge side by side."""
        rows, columns = self.shape
        batch, (height, width, channels), p = x.shape[:-3], x.shape[-3:], self.patch
        x = x.reshape(-1, height, width, channels)
        x = jnp.pad(x, ((0, 0), (0, rows * 4 * p - height), (0, columns * 4 * p - width), (0, 0)))
        x = x.reshape(-1, rows, 2, 2, p, columns, 2, 2, p, channels).transpose(0, 1, 5, 2, 6, 3, 7, 4, 8, 9)
        squares = rows * columns
        x = x.reshape(-1, squares, 16, p * p * channels).astype(jnp.float32) / 127.5 - 1
        x = jax.nn.relu(self.embed(x)).reshape(-1, squares, 4, self.merge.weight.shape[0])
        x = jax.nn.relu(self.merge(x)).reshape(-1, squares, self.again.weight.shape[0])
        x = jax.nn.relu(self.again(x)).reshape(-1, self.out.weight.shape[0])
        return jax.nn.relu(self.out(x)).reshape(*batch, self.size)


@functools.singledispatch
def encoder_for(space: gymnasium.Space, rng: Rng) -> Encoder:
    """The encoder that suits `space`, with weights drawn from `rng`.

    For a class of spaces of your own (derived from Discrete, MultiDiscrete or Box, for only those are learnt from),
    register a function with `@encoder_for.register`.

    Raises:
        ScoutError: a space that no encoder reads.
    """
    raise ScoutError(
        f"no encoder reads a {type(space).__name__} space; use Discrete, MultiDiscrete or Box from gymnasium.spaces"
    )


@encoder_for.register
def _(space: Discrete | MultiDiscrete, rng: Rng) -> Encoder:
    return OneHot(space)


@encoder_for.register
def _(space: Box, rng: Rng) -> Encoder:
    return Image(space, rng) if is_image(space) else Vector(space)
