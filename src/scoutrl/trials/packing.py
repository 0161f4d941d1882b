"""Pictures packed into fewer 32-bit words without loss: few bits a pixel where neighbours look alike.

A picture is cut into runs of 32 pixels, in order of rows. Each channel but the first is taken as its difference from
the first, since light and shade change all channels alike. Of each channel of a run the least value is kept, and as
many digits of 2 bits a pixel as its largest excess over that needs, none to four. So a packed picture is a header of
fixed length (least values, numbers of digits) and two words for each digit.

All shapes are fixed, and no pixel waits for another one. Four bytes are computed with at a time, and the steps are
functions of their own: a compiler for processors that joins them computes each over and over.
"""

import functools
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt8, UInt32

RUN = 32
"""Pixels of a run: eight words, of which each takes a quarter of the bits of a digit's two."""
DIGITS = 4
"""Digits of 2 bits in a byte."""
_WORDS = 8
"""Words of a run in one channel, as they are and with all digits."""
_ORDER = np.arange(_WORDS, dtype=np.int32).reshape(1, 1, 1, -1)
_SHIFTS = 2 * np.arange(4, dtype=np.uint32).reshape(1, 1, 1, -1, 1)
_BYTE, _DIGIT, _HIGH = (np.uint32(byte * 0x01010101) for byte in (1, 3, 128))
"""In each byte of a word: the lowest bit, a digit, the highest bit."""

Planes = UInt32[Array, "n runs channels 8"]
"""Pictures by run and channel, four pixels in a word."""
Least = UInt8[Array, "n runs channels"]
"""The least value of each channel of a run."""
Digits = UInt32[Array, "n runs channels 8"]
"""What the pixels exceed that by: two words for each digit, the lowest digit first."""
Fetch = Callable[[Int[Array, "n *some"]], UInt32[Array, "n *some"]]
"""The words of `n` packed pictures at these places, 0 being a picture's first word."""


class Packing(eqx.Module):
    """How pictures of one shape are packed."""

    shape: tuple[int, ...] = eqx.field(static=True)
    """Height, width, channels."""

    @property
    def runs(self) -> int:
        """Runs of a picture, the last one filled up."""
        return -(-self.shape[0] * self.shape[1] // RUN)

    @property
    def header(self) -> int:
        """Words of the header: for each channel of a run a byte, and half a byte for the number of its digits."""
        return 3 * self._eights

    @property
    def longest(self) -> int:
        """Words of a packed picture that is all noise."""
        return self.header + self.runs * self.shape[2] * _WORDS

    def planes(self, pictures: UInt8[Array, "n height width channels"]) -> Planes:
        """Pictures, laid out anew."""
        n, channels = len(pictures), self.shape[2]
        flat = pictures.reshape(n, -1, channels)
        flat = jnp.pad(flat, ((0, 0), (0, self.runs * RUN - flat.shape[1]), (0, 0)), mode="edge")
        return _words(flat.reshape(n, self.runs, RUN, channels).transpose(0, 1, 3, 2))

    def pictures(self, planes: Planes) -> UInt8[Array, "n height width channels"]:
        """What `planes` was given."""
        n, (height, width, channels) = len(planes), self.shape
        flat = _bytes(planes).transpose(0, 1, 3, 2).reshape(n, self.runs * RUN, channels)
        return flat[:, : height * width].reshape(n, height, width, channels)

    def differences(self, planes: Planes) -> Planes:
        """Planes as they are packed: of all channels but the first, how they differ from it."""
        return _subtract(planes, planes[:, :, :1] & self._others) ^ (_HIGH & self._others)

    def pack(self, values: Planes) -> tuple[UInt32[Array, "n longest"], Int[Array, "n longest"], Int[Array, " n"]]:
        """Pack the `differences` of pictures.

        Returns:
            Words, the place of each in its packed picture or `longest` where it is left out, and the lengths of the
            packed pictures.
        """
        n = len(values)
        bytes_ = [(values >> np.uint32(8 * i)) & np.uint32(255) for i in range(4)]
        least = functools.reduce(jnp.minimum, bytes_).min(axis=3)
        excess = functools.reduce(jnp.maximum, bytes_).max(axis=3) - least
        counts = functools.reduce(jnp.add, [(excess > most).astype(jnp.uint8) for most in (0, 3, 15, 63)])
        above = _subtract(values, (least * _BYTE)[..., None]).reshape(*counts.shape, 4, 2)
        digits = [((above[..., i, None, :] >> _SHIFTS) & _DIGIT) << np.uint32(2 * i) for i in range(4)]
        digits = functools.reduce(jnp.bitwise_or, digits).reshape(*counts.shape, _WORDS)
        begins, lengths = self._begins(counts)
        places = jnp.where(counts[..., None] > _ORDER // 2, begins[..., None] + _ORDER, self.longest)
        eights = lambda x: jnp.pad(x.reshape(n, -1), ((0, 0), (0, self._eights * 8 - x[0].size)))  # noqa: E731
        halves = eights(counts)
        header = [_words(eights(least.astype(jnp.uint8))), _words(halves[:, ::2] | halves[:, 1::2] << np.uint8(4))]
        first = jnp.broadcast_to(jnp.arange(self.header, dtype=jnp.int32), (n, self.header))
        words = jnp.concatenate([*header, digits.reshape(n, -1)], axis=1)
        return words, jnp.concatenate([first, places.reshape(n, -1)], axis=1), lengths

    def read(self, fetch: Fetch, n: int) -> tuple[Least, Digits]:
        """Read `n` packed pictures, whose words `fetch` gives; up to 8 places beyond their ends as well."""
        header = fetch(jnp.broadcast_to(jnp.arange(self.header, dtype=jnp.int32), (n, self.header)))
        least, halves = (_bytes(part) for part in jnp.split(header, [2 * self._eights], axis=1))
        counts = jnp.stack([halves & np.uint8(15), halves >> np.uint8(4)], axis=-1).reshape(n, -1)
        least, counts = (x[:, : self.runs * self.shape[2]].reshape(n, self.runs, -1) for x in (least, counts))
        words = fetch(self._begins(counts)[0][..., None] + _ORDER)
        return least, jnp.where(counts[..., None] > _ORDER // 2, words, np.uint32(0))

    def unpack(self, least: Least, digits: Digits) -> Planes:
        """The planes whose `differences` were packed."""
        each = digits.reshape(*least.shape, DIGITS, 2)
        each = [((each[..., d, None, :] >> _SHIFTS) & _DIGIT) << np.uint32(2 * d) for d in range(DIGITS)]
        above = functools.reduce(jnp.bitwise_or, each).reshape(digits.shape)
        values = _add(above, (least.astype(jnp.uint32) * _BYTE)[..., None])
        return _add(values ^ (_HIGH & self._others), values[:, :, :1] & self._others)

    @property
    def _eights(self) -> int:
        """Channels of all runs, in eights."""
        return -(-self.runs * self.shape[2] // 8)

    @property
    def _others(self) -> np.ndarray:
        """All bits of all channels but the first."""
        others = np.arange(self.shape[2]).reshape(1, 1, -1, 1) > 0
        return np.where(others, np.uint32(2**32 - 1), np.uint32(0))

    def _begins(
        self, counts: UInt8[Array, "n runs channels"]
    ) -> tuple[Int[Array, "n runs channels"], Int[Array, " n"]]:
        """Where the digits of each channel of a run begin, and the length of the packed picture.

        Running sums by two products with a triangle: exact here, and quicker.
        """
        n, some = len(counts), counts[0].size
        side = math.isqrt(some - 1) + 1
        square = jnp.pad(counts.reshape(n, -1).astype(jnp.float32), ((0, 0), (0, side * side - some)))
        square = square.reshape(n, side, side)
        before, rows = np.tri(side, k=-1, dtype=np.float32).T, square.sum(axis=2)
        with jax.default_matmul_precision("highest"):
            begins = square @ before + (rows @ before)[..., None]
        begins = begins.reshape(n, -1)[:, :some].reshape(counts.shape)
        return 2 * begins.astype(jnp.int32) + self.header, 2 * rows.sum(axis=1).astype(jnp.int32) + self.header


def _add(a: UInt32[Array, "..."], b: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """The sum of each byte."""
    return ((a & ~_HIGH) + (b & ~_HIGH)) ^ ((a ^ b) & _HIGH)


def _subtract(a: UInt32[Array, "..."], b: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """The difference of each byte."""
    return ((a | _HIGH) - (b & ~_HIGH)) ^ ((a ^ ~b) & _HIGH)


def _words(x: UInt8[Array, "*batch bytes"]) -> UInt32[Array, "*batch words"]:
    """Four bytes of the last axis in one word."""
    return jax.lax.bitcast_convert_type(x.reshape(*x.shape[:-1], -1, 4), jnp.uint32)


def _bytes(x: UInt32[Array, "*batch words"]) -> UInt8[Array, "*batch bytes"]:
    """The same back."""
    return jax.lax.bitcast_convert_type(x, jnp.uint8).reshape(*x.shape[:-1], -1)
