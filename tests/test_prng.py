"""Scout's generator of random numbers: what JAX expects of one, and that its statistics are those of chance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks.randomness import ALL_KEYS, GENERATORS, battery, fails

from scoutrl import prng
from scoutrl.errors import ScoutError
from scoutrl.runs.arrays import from_arrays, shapes_of, to_arrays

WORD = 2**32


def mix(x):
    x = (x ^ x >> 16) * 0x21F0AAAD % WORD
    x = (x ^ x >> 15) * 0xD35A2D97 % WORD
    return x ^ x >> 15


def number(key, i, use=0):
    """The definition in Python's whole numbers."""
    first, second = (key[0] + use * 0x85EBCA6B) % WORD, (key[1] + use * 0xC2B2AE35) % WORD
    return mix(((mix((i * 0x9E3779B9 + first) % WORD) ^ second) + i) % WORD)


def raw(key):
    return np.asarray(jax.random.key_data(key)).tolist()


def test_numbers_and_keys_are_those_of_the_definition():
    key = raw(prng.key(7))
    assert key == [number([7, 0], 0, use) for use in (5, 6)]
    drawn = jax.random.bits(prng.key(7), (2, 3))
    assert np.asarray(drawn).ravel().tolist() == [number(key, i) for i in range(6)]
    assert raw(jax.random.split(prng.key(7), 3)) == [[number(key, i, use) for use in (1, 2)] for i in range(3)]
    assert raw(jax.random.fold_in(prng.key(7), 5)) == [number(key, 5, use) for use in (3, 4)]


def test_a_stream_is_the_same_compiled_and_under_vmap():
    keys = jax.random.split(prng.key(0), 3)
    draw = lambda key: (jax.random.bits(key, (2, 5)), jax.random.key_data(jax.random.split(key)))  # noqa: E731
    together = jax.vmap(draw)(keys)
    for i in range(3):
        for found in (draw(keys[i]), jax.jit(draw)(keys[i])):
            jax.tree.map(lambda a, b, i=i: np.testing.assert_array_equal(a, b[i]), found, together)


@pytest.mark.parametrize("width", [8, 16, 32])
def test_numbers_of_every_width_fill_it(width):
    drawn = np.asarray(jax.random.bits(prng.key(1), (4096,), f"uint{width}"))
    assert drawn.dtype == f"uint{width}"
    assert drawn.max() > 0.99 * 2**width
    assert abs(drawn.mean() / 2**width - 0.5) < 0.03


def test_numbers_of_64_bits_have_halves_of_their_own():
    with jax.enable_x64(True):
        drawn = np.asarray(jax.random.bits(prng.key(1), (4096,), "uint64"))
        high, low = drawn >> np.uint64(32), drawn & np.uint64(WORD - 1)
        assert abs(np.corrcoef(high.astype(float), low.astype(float))[0, 1]) < 0.06
        assert raw(prng.key(2**40)) != raw(prng.key(0))


def test_distributions_of_jax_draw_from_it():
    normal = np.asarray(jax.random.normal(prng.key(3), (20000,)))
    assert abs(normal.mean()) < 0.03
    assert normal.std() == pytest.approx(1, abs=0.03)
    assert sorted(np.asarray(jax.random.permutation(prng.key(3), 10)).tolist()) == list(range(10))


def test_saved_keys_are_of_the_generator_they_were_of():
    tree = {"own": prng.key(4), "of JAX": jax.random.key(4), "number": jnp.float32(1)}
    arrays = to_arrays(tree)
    assert {name for name in arrays if "key" in name} == {"['own']:key<scout>", "['of JAX']:key<fry>"}
    back = from_arrays(arrays, shapes_of(tree))
    for name in ("own", "of JAX"):
        assert back[name].dtype == tree[name].dtype
        assert raw(back[name]) == raw(tree[name])
    with pytest.raises(ScoutError, match="does not fit"):
        from_arrays(to_arrays({"own": jax.random.key(4)}), shapes_of({"own": prng.key(4)}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "failed"), [("scout", lambda n: n == 0), ("threefry", lambda n: n == 1), ("broken", lambda n: n > 90)]
)
def test_the_battery_tells_a_good_generator_from_a_broken_one(name, failed):
    found = {test for test, values in battery(GENERATORS[name], 2**15, 1).items() if fails(values)}
    assert failed(len(found)), found
    assert (ALL_KEYS in found) == (name != "scout")
