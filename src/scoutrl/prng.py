"""Scout's random numbers: a counter-based hash in place of JAX's Threefry, because it compiles to far less code.

Number i of the stream of a key (k_0, k_1), in 32-bit arithmetic with wrap-around, is

    a = mix(i G + k_0 + t T_0)    b = (a xor (k_1 + t T_1)) + i    out = mix(b)

where mix is Wellons' and Ellis' 32-bit finaliser "lowbias32" (two multiplications, three shifted xors), G the golden
ratio, and t a number that keeps apart what an output is for: t = 0 for the numbers themselves, other t for the two
words of the keys that `split`, `fold_in` and `seed` make. The sum with i between two mixings makes a stream a random
function of i, with as many repetitions as chance has, and no permutation.

It is no cryptographic generator. `python -m benchmarks.randomness` has the statistical tests that it passes.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import define_prng_impl
from jaxtyping import Array, PRNGKeyArray, UInt32

_GOLDEN = np.uint32(0x9E3779B9)
_APART = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
"""T_0 and T_1: odd constants of MurmurHash3."""
_NUMBERS, _SPLIT, _FOLD, _SEED = 0, 1, 3, 5
"""t of each use; the last three take the one after as well, for the second word of a key."""


def key(seed: int | Array) -> PRNGKeyArray:
    """A key of this generator; `jax.random` takes it as any other, and all that is drawn from it is of its kind."""
    return jax.random.key(seed, impl=IMPLEMENTATION)


def _mix(x: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    x = (x ^ (x >> 16)) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> 15)) * np.uint32(0xD35A2D97)
    return x ^ (x >> 15)


def _hash(data: UInt32[Array, "2"], index: UInt32[Array, "..."], use: int) -> UInt32[Array, "..."]:
    """One number of the stream of a key for every index."""
    first, second = (jnp.broadcast_to(data[i] + np.uint32(use * int(_APART[i]) % 2**32), index.shape) for i in range(2))
    return _mix((_mix(index * _GOLDEN + first) ^ second) + index)


def _counters(shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """0, 1, 2 … in an array of that shape, axis by axis."""
    count = math.prod(shape)
    if count >= 2**32:
        raise ValueError(f"{count:,} random numbers at once; a stream has 4,294,967,296")
    found, stride = jnp.zeros(shape, jnp.uint32), 1
    for axis in reversed(range(len(shape))):
        found += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * np.uint32(stride)
        stride *= shape[axis]
    return found


def _key(data: UInt32[Array, "2"], index: UInt32[Array, "..."], use: int) -> UInt32[Array, "... 2"]:
    return jnp.stack([_hash(data, index, use), _hash(data, index, use + 1)], axis=-1)


def _seed(seed: Array) -> UInt32[Array, "2"]:
    low = jax.lax.convert_element_type(seed, jnp.uint32)
    wide = seed.dtype.itemsize > 4
    high = (
        jax.lax.convert_element_type(jax.lax.shift_right_logical(seed, seed.dtype.type(32)), jnp.uint32)
        if wide
        else low * 0
    )
    return _key(jnp.stack([low, high]), jnp.uint32(0), _SEED)


def _split(data: UInt32[Array, "2"], shape: tuple[int, ...]) -> UInt32[Array, "... 2"]:
    return _key(data, _counters(shape), _SPLIT)


def _fold_in(data: UInt32[Array, "2"], number: Any) -> UInt32[Array, "2"]:
    return _key(data, jnp.asarray(number, jnp.uint32), _FOLD)


def _random_bits(data: UInt32[Array, "2"], width: int, shape: tuple[int, ...]) -> Array:
    if width == 64:
        low, high = (_random_bits(data, 32, (2, *shape))[i].astype(jnp.uint64) for i in range(2))
        return high << 32 | low
    bits = _hash(data, _counters(shape), _NUMBERS)
    return bits if width == 32 else (bits >> (32 - width)).astype(jnp.dtype(f"uint{width}"))


IMPLEMENTATION = define_prng_impl(
    key_shape=(2,),
    seed=_seed,
    split=_split,
    random_bits=_random_bits,
    fold_in=_fold_in,
    name="scout",
    tag="scout",
)
"""For the argument `impl` of `jax.random.key`; the type of its keys, which checkpoints note, is `key<scout>`."""
