from types import SimpleNamespace
from typing import Any

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from scoutrl.algorithms.encoders import Encoders
from scoutrl.envs import Spaces
from scoutrl.errors import ScoutError
from scoutrl.nn.encoders import Encoder, Image, OneHot, Vector, encoder_for
from scoutrl.nn.init import Rng, generator
from scoutrl.nn.linear import Linear
from scoutrl.trials.trial import Episodes

LARGEST = float(np.finfo(np.float32).max)

SPACES = {
    "discrete": Discrete(4),
    "discrete from 3": Discrete(4, start=3),
    "multi": MultiDiscrete([2, 5, 3]),
    "multi from": MultiDiscrete([2, 5, 3], start=[1, -2, 0]),
    "multi 2-D": MultiDiscrete(np.array([[2, 3], [4, 5]])),
    "box": Box(np.array([-2, 0], np.float32), np.array([2, 10], np.float32)),
    "box without bounds": Box(-np.inf, np.inf, (2, 3)),
    "box with the largest bounds": Box(-LARGEST, LARGEST, (3,)),
    "box of integers": Box(-5, 15, (4,), np.int32),
    "box of bytes": Box(0, 255, (6,), np.uint8),
    "box of one number": Box(-1, 1, ()),
    "image": Box(0, 255, (12, 7, 3), np.uint8),
    "tiny image": Box(0, 255, (1, 1, 1), np.uint8),
    "image of whole patches": Box(0, 255, (20, 10, 3), np.uint8),
}


def rng(seed: int = 0) -> Rng:
    return generator(jax.random.key(seed))


@pytest.mark.slow
def test_any_leading_axes():
    encoders, samples = {}, {}
    for name, space in SPACES.items():
        space.seed(0)
        encoders[name] = encoder_for(space, rng())
        samples[name] = np.stack([space.sample() for _ in range(6)])

    @jax.jit
    def features(samples):
        nested = {name: x.reshape(2, 3, *SPACES[name].shape) for name, x in samples.items()}
        return {
            name: (encoders[name](x), encoders[name](nested[name]), encoders[name](x[0])) for name, x in samples.items()
        }

    for name, (flat, nested, single) in jax.tree.map(np.asarray, features(samples)).items():
        assert flat.shape == (6, encoders[name].size), name
        assert flat.dtype == np.float32, name
        assert np.isfinite(flat).all(), name
        np.testing.assert_allclose(nested, flat.reshape(2, 3, -1), atol=1e-5, err_msg=name)
        np.testing.assert_allclose(single, flat[0], atol=1e-5, err_msg=name)


def test_the_encoder_goes_by_the_space():
    assert {name: type(encoder_for(space, rng())) for name, space in SPACES.items()} == {
        name: OneHot if "discrete" in name or "multi" in name else Image if "image" in name else Vector
        for name in SPACES
    }


def test_one_hots_side_by_side():
    assert OneHot(Discrete(4))(jnp.int32(2)).tolist() == [0, 0, 1, 0]
    assert OneHot(Discrete(4, start=3))(jnp.int32(3)).tolist() == [1, 0, 0, 0]
    shifted = OneHot(MultiDiscrete([2, 5, 3], start=[1, -2, 0]))
    assert shifted(jnp.array([2, -2, 1])).tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 1, 0]
    table = OneHot(MultiDiscrete(np.array([[1, 2], [2, 3]])))
    assert table(jnp.array([[0, 1], [0, 2]])).tolist() == [1, 0, 1, 1, 0, 0, 0, 1]


def test_small_integers_are_read_like_large_ones():
    encoder = OneHot(MultiDiscrete([100, 200]))
    x = np.array([[99, 17], [0, 120]])
    np.testing.assert_array_equal(encoder(jnp.asarray(x, jnp.int8)), encoder(jnp.asarray(x, jnp.int32)))


def test_boxes_are_brought_to_one():
    half = Vector(Box(np.array([-2, 0, -np.inf], np.float32), np.array([2, 10, np.inf], np.float32)))
    np.testing.assert_allclose(half(jnp.array([[-2.0, 0.0, 7.0], [2.0, 10.0, -7.0]])), [[-1, -1, 7], [1, 1, -7]])
    whole = Vector(Box(-5, 15, (1,), np.int32))
    np.testing.assert_allclose(whole(jnp.array([[-5], [5], [15]])), [[-1], [0], [1]], atol=1e-6)
    point = Vector(Box(3, 3, (1,)))
    assert np.isfinite(point(jnp.array([3.0]))).all()
    open_ended = Vector(Box(-LARGEST, LARGEST, (1,)))
    assert open_ended(jnp.array([4.5])).tolist() == [4.5]
    every = Vector(Box(np.iinfo(np.int32).min, np.iinfo(np.int32).max, (1,), np.int32))
    assert every(jnp.array([4])).tolist() == [4]


def test_every_pixel_counts_also_beyond_the_last_whole_patch():
    encoder = encoder_for(SPACES["image"], rng(1))
    pictures = np.zeros((5, 12, 7, 3), np.uint8)
    for picture, place in zip(pictures[1:], [(0, 0, 0), (11, 6, 2), (10, 5, 1), (4, 5, 0)], strict=True):
        picture[place] = 255
    features = np.asarray(eqx.filter_jit(encoder)(jnp.asarray(pictures)))
    assert (np.abs(features[1:] - features[0]).max(axis=1) > 1e-4).all()


def test_patches_are_the_patches_of_the_picture():
    """With all weight on one pixel of a patch and on one patch in each merge, the features show one pixel."""
    encoder = Image(Box(0, 255, (8, 8, 1), np.uint8), rng(), patch=2, width=1, size=1)
    picture = np.arange(128, 256, 2, dtype=np.uint8).reshape(8, 8, 1)

    @jax.jit
    def pixel(*places):
        weights = [np.arange(4)[:, None] == place for place in places]
        weights[2] = weights[2] & np.array([[True, False]])
        weights = [jnp.asarray(w, jnp.float32) for w in (*weights, np.array([[1], [0]]))]
        layers = lambda e: [e.embed.weight, e.merge.weight, e.again.weight, e.out.weight]  # noqa: E731
        assert [w.shape for w in layers(encoder)] == [w.shape for w in weights]
        return 127.5 * (1 + eqx.tree_at(layers, encoder, weights)(picture)[0])

    for row, column in np.ndindex(8, 8):
        found = pixel(*(2 * (row // size % 2) + column // size % 2 for size in (1, 2, 4)))
        assert float(found) == pytest.approx(picture[row, column, 0], abs=1e-3)


@pytest.mark.parametrize(
    "space", [gymnasium.spaces.Text(3), gymnasium.spaces.MultiBinary(3), gymnasium.spaces.Tuple([Discrete(2)])]
)
def test_other_spaces_are_refused_in_one_line(space):
    with pytest.raises(ScoutError, match=f"no encoder reads a {type(space).__name__} space; use Discrete") as refusal:
        encoder_for(space, rng())
    assert "\n" not in str(refusal.value)


class Angle(Box):
    """A user's space: an angle in radians, which is no number like any other."""

    def __init__(self):
        super().__init__(-np.pi, np.pi, (1,), np.float32)


class Word(gymnasium.Space):
    """A user's space that is not made from any other: one of some words, by its number."""

    def __init__(self, count: int):
        super().__init__((), np.int32)
        self.count = count


class OnCircle(Encoder):
    size: int = eqx.field(static=True, default=2)

    def __call__(self, x):
        return jnp.concatenate([jnp.cos(x), jnp.sin(x)], axis=-1)


class Embedding(Encoder):
    table: Linear
    size: int = eqx.field(static=True, default=3)

    def __call__(self, x):
        return self.table(jax.nn.one_hot(x, len(self.table.weight)))


@encoder_for.register
def _(space: Angle, rng: Rng) -> Encoder:
    return OnCircle()


@encoder_for.register
def _(space: Word, rng: Rng) -> Encoder:
    return Embedding(table=Linear(space.count, 3, rng))


def test_a_user_may_register_an_encoder_for_a_space_of_their_own():
    words = encoder_for(Word(7), rng())
    assert isinstance(words, Embedding)
    np.testing.assert_array_equal(words(jnp.array([[4, 0]])), words.table.weight[np.array([[4, 0]])])
    assert eqx.tree_equal(words, encoder_for(Word(7), rng()))
    assert not eqx.tree_equal(words, encoder_for(Word(7), rng(1)))


def test_an_encoder_registered_for_a_subclass_goes_before_that_of_its_class():
    np.testing.assert_allclose(encoder_for(Angle(), rng())(jnp.array([np.pi / 2])), [0, 1], atol=1e-6)
    assert isinstance(encoder_for(Box(-np.pi, np.pi, (1,), np.float32), rng()), Vector)


def test_algorithms_find_registered_encoders():
    spec: Any = SimpleNamespace(spaces=Spaces(Angle(), Discrete(4), Word(7)), horizon=5)
    encoders = Encoders(spec, True, rng())
    assert isinstance(encoders.observation, OnCircle)
    assert encoders.goals(jnp.array([2, 5]), 2).shape == (2, encoders.goal_size) == (2, 3)


@pytest.mark.parametrize("see_time", [True, False])
def test_the_time_left_is_seen_beside_each_observation(see_time):
    spec: Any = SimpleNamespace(spaces=Spaces(Discrete(3), Discrete(2)), horizon=2)
    encoders, hit = Encoders(spec, see_time, rng()), jnp.eye(3)[jnp.array([2, 0, 1])]
    assert encoders.seen == 3 + see_time
    np.testing.assert_array_equal(
        encoders.moment(hit, jnp.arange(3)), np.hstack([hit, [[1], [0.5], [0]]]) if see_time else hit
    )
    nothing = jnp.zeros((1, 2))
    lived = Episodes(jnp.array([[2, 0, 1]]), nothing > 0, nothing, nothing > 0, nothing == 0, None)
    np.testing.assert_array_equal(encoders.episodes(lived).features[0], encoders.moment(hit, jnp.arange(3)))
