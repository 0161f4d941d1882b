"""Statistical tests of Scout's random numbers: `python -m benchmarks.randomness`.

Three generators go through the same battery: Scout's own (`scoutrl.prng`), JAX's Threefry, and one that is broken on
purpose, by which it can be seen that the battery notices. Numbers are taken as training takes them: along a stream,
across streams made by `split`, `fold_in` and seeds, and from whole trees of keys as a rollout has them.
"""

import dataclasses
import statistics
from collections.abc import Callable, Hashable, Iterator
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from cyclopts import App, Parameter
from jax.extend.random import define_prng_impl
from jaxtyping import PRNGKeyArray

from benchmarks import statistics_of_bits as bits
from benchmarks.record import keep, print_status, provenance
from scoutrl import prng

ALL_KEYS = "keys of split and fold_in together: repeated keys"
"""With Threefry `split(key, n)[i]` is `fold_in(key, i)`, so that it fails this test; `scoutrl.prng` has two sets."""
FAILED = 1e-7
"""A generator fails a test whose p-value is nearer than this to 0 or 1: one in some ten thousand batteries does."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Test random numbers."""

    words: int = 2**22
    """Words that each test looks at."""
    seeds: int = 5
    """Times that the battery is gone through."""
    smoke: bool = False
    """Look at few words, to see that everything works; nothing is kept."""


def _weyl(data, index):
    """What is broken: a multiple of a constant, without any mixing."""
    return data[0] + index * np.uint32(0x9E3779B9)


def _numbers(data, width, shape):
    assert width == 32
    return _weyl(data, jnp.arange(int(np.prod(shape)), dtype=jnp.uint32).reshape(shape))


def _children(data, index):
    return jnp.stack([_weyl(data, index), data[1] + index], axis=-1)


BROKEN = define_prng_impl(
    key_shape=(2,),
    seed=lambda seed: jnp.stack([seed.astype(jnp.uint32), jnp.uint32(0)]),
    split=lambda data, shape: _children(data, jnp.arange(int(np.prod(shape)), dtype=jnp.uint32).reshape(shape)),
    random_bits=_numbers,
    fold_in=lambda data, number: _children(data, jnp.asarray(number, jnp.uint32)),
    name="weyl",
    tag="weyl",
)
"""A Weyl sequence, whose streams overlap."""
GENERATORS: dict[str, Hashable] = {"scout": prng.IMPLEMENTATION, "threefry": "threefry2x32", "broken": BROKEN}


def main(options: Annotated[Options, Parameter("*")] = Options()) -> None:
    """Test all generators, and keep the result."""
    if options.smoke:
        options = dataclasses.replace(options, words=2**16, seeds=1)
    found = {}
    for name, implementation in GENERATORS.items():
        found[name] = battery(implementation, options.words, options.seeds)
        failed = [test for test, values in found[name].items() if fails(values)]
        print_status(f"{name}: fails {len(failed)} of {len(found[name])} tests  {', '.join(failed)}")
    result = {"benchmark": "randomness", "words": options.words, "seeds": options.seeds, "failed_below": FAILED}
    result |= {"p_values": found, "provenance": provenance("randomness")}
    keep("randomness", result, options.smoke)


def battery(implementation: Hashable, words: int, seeds: int) -> dict[str, list[float]]:
    """Name of a test to its p-values, one for each seed."""
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        for name, p in p_values(jax.random.key(seed, impl=implementation), words):
            found.setdefault(name, []).append(p)
    return found


def fails(values: list[float]) -> bool:
    """Whether these p-values of one test are none of chance: one of them alone, or their middle."""
    middle = statistics.median(values)
    extreme = min(values) < FAILED or max(values) > 1 - FAILED
    return extreme or (len(values) > 2 and not 1e-4 < middle < 1 - 1e-4)


def p_values(key: PRNGKeyArray, count: int) -> Iterator[tuple[str, float]]:
    """Every test of every way to come to numbers."""
    for name, draw in SOURCES.items():
        words = np.asarray(jax.jit(draw, static_argnums=1)(key, count))
        for shift in (0, 8, 16, 24):
            yield f"{name}: uniformity of bits from {shift}", bits.uniformity(words, shift)
        for lag in (1, 2, 20, 64):
            yield f"{name}: low bits at lag {lag}", bits.serial(words, lag, 0)
            yield f"{name}: high bits at lag {lag}", bits.serial(words, lag, 26)
        yield f"{name}: bits that differ between neighbours", bits.differing_bits(words[::2], words[1::2])
        yield f"{name}: repeated words", bits.repeated(words[: 2**20])
        yield f"{name}: matrix rank", bits.matrix_rank(words)
        yield f"{name}: birthday spacings", bits.birthday_spacings(words)
    yield from _keys(key, count)


def _keys(key: PRNGKeyArray, count: int) -> Iterator[tuple[str, float]]:
    """Keys as 64-bit numbers: none twice, each half by itself as random as any words."""
    below = jax.random.split(jax.random.fold_in(key, 0), count // 4)
    kinds = {
        "split": jax.random.split(key, count // 4),
        "fold_in": jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count // 4)),
        "split of fold_in": below,
    }
    data = {name: np.asarray(jax.random.key_data(keys)) for name, keys in kinds.items()}
    for name, raw in data.items():
        for half in range(2):
            yield f"{name}: repeated half {half} of keys", bits.repeated(raw[: 2**20, half])
            yield f"{name}: uniformity of half {half} of keys", bits.uniformity(raw[:, half], 0)
        yield f"{name}: halves of keys that differ", bits.differing_bits(raw[:, 0], raw[:, 1])
        yield f"{name}: repeated keys", bits.repeated(_joined(raw), 64)
    every = np.concatenate([*data.values(), np.asarray(jax.random.key_data(key))[None]])
    yield ALL_KEYS, bits.repeated(_joined(every), 64)


def _joined(keys: np.ndarray) -> np.ndarray:
    return keys[:, 0].astype(np.uint64) << np.uint64(32) | keys[:, 1]


def _bits(keys: PRNGKeyArray, each: int = 1) -> jax.Array:
    return jax.vmap(lambda key: jax.random.bits(key, (each,)))(keys.ravel()).ravel()


def _rollout(key: PRNGKeyArray, count: int) -> jax.Array:
    """An iteration, its trials, their steps, one number of each: as training draws."""
    iterations = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count // 1280 + 1))
    trials = jax.vmap(lambda one: jax.random.split(jax.random.split(one, 4)[1], 64))(iterations)
    return _bits(jax.vmap(jax.vmap(lambda one: jax.random.split(one, 20)))(trials))[:count]


def _seeds(key: PRNGKeyArray, count: int) -> jax.Array:
    implementation, first = jax.random.key_impl(key), jax.random.key_data(key)[0] % 1024
    seeds = jnp.arange(count, dtype=jnp.uint32) + first
    return _bits(jax.vmap(lambda seed: jax.random.key(seed, impl=implementation))(seeds))


SOURCES: dict[str, Callable[[PRNGKeyArray, int], jax.Array]] = {
    "stream": lambda key, count: jax.random.bits(key, (count,)),
    "streams of split": lambda key, count: _bits(jax.random.split(key, count)),
    "streams of fold_in": lambda key, count: _bits(jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count))),
    "streams of seeds": _seeds,
    "short streams of split": lambda key, count: _bits(jax.random.split(key, count // 8), 8),
    "rollout": _rollout,
}
"""Ways to come to `count` words."""

if __name__ == "__main__":
    App(help=__doc__, default_command=main)()
