"""Pictures come back from replay bit for bit; where they need more room than there is, the oldest trials are lost."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from scoutrl.envs import ProblemSet, Spaces, Spec
from scoutrl.envs.sign.draw import draw
from scoutrl.trials import replay as ring
from scoutrl.trials.packing import Packing
from scoutrl.trials.trial import Episodes, Protocol, Trial

HEIGHT, WIDTH, HORIZON, BATCH = 20, 24, 2, 2


class Bare(Spec):
    """A family without a simulator."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int

    def sample_goal(self, key):
        raise NotImplementedError


PICTURES = Bare(
    ProblemSet([0, 1], [0], [1]), Spaces(Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8), Discrete(4), None), HORIZON
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def smooth(*shape: int) -> np.ndarray:
    """Light that changes slowly, from black to white and at once to black again."""
    return (np.cumsum(np.ones(shape, int), axis=-2) * 9 + np.arange(shape[-1]) * 40).astype(np.uint8)


def drawn(count: int) -> np.ndarray:
    random = np.random.default_rng(0).uniform
    heading = random(-3, 3, (count, 7))
    return np.asarray(
        draw(random(3, 6, count), random(3, 7, count), heading[:, 0], np.arange(count) % 3, heading[:, 1:])
    )


@functools.partial(jax.jit, static_argnums=0)
def packed(packing: Packing, pictures):
    """What comes back, and how many words each picture took."""
    n = len(pictures)
    words, places, lengths = packing.pack(packing.differences(packing.planes(pictures)))
    # What is beyond the end of a picture is of another one, and is not to matter.
    rows = jnp.full((n, packing.longest + 8), 0xABCDEF01, jnp.uint32)
    rows = rows.at[jnp.arange(n)[:, None], places].set(words)
    fetch = jax.vmap(lambda row, order: row[order])
    read = packing.read(lambda order: fetch(rows, order), n)
    return packing.pictures(packing.unpack(*read)), lengths


@pytest.mark.parametrize(
    "pictures",
    [
        noise(3, 21, 23, 3),
        noise(2, 20, 20, 1),
        noise(2, 20, 33, 4),
        smooth(2, 24, 40, 3),
        np.repeat(np.array([[0, 255, 0], [255, 0, 255]], np.uint8), 400, axis=0).reshape(2, 20, 20, 3),
        (255 * (noise(2, 32, 32, 3) > 127)).astype(np.uint8),
    ],
    ids=["odd sizes", "grey", "four channels", "smooth", "plain", "black and white"],
)
def test_every_picture_comes_back_as_it_was(pictures):
    packing = Packing(pictures.shape[1:])
    back, lengths = packed(packing, pictures)
    np.testing.assert_array_equal(back, pictures)
    assert (lengths <= packing.longest).all()


def test_each_number_of_digits_comes_back():
    """Runs whose values are up to 0, 3, 15, 63 and 255 above their least one, and one more."""
    tops = np.array([0, 1, 3, 4, 15, 16, 63, 64, 255, 200], np.uint8)
    pictures = np.zeros((1, 10, 32, 3), np.uint8)
    pictures[0, :, 7] = tops[:, None]
    pictures[0, :, 9, 1] = tops[::-1]
    np.testing.assert_array_equal(packed(Packing((10, 32, 3)), pictures)[0], pictures)


@pytest.mark.slow
@pytest.mark.long
def test_frames_of_the_sign_take_less_than_half_of_their_bytes():
    frames = drawn(16)
    back, lengths = packed(Packing(frames.shape[1:]), frames)
    np.testing.assert_array_equal(back, frames)
    assert 4 * lengths.mean() < 0.45 * frames[0].size


def trials(pictures: np.ndarray, steps: np.ndarray) -> Trial:
    """Trials of two episodes, [trial, episode, time, …], of so many steps each."""
    mask = np.arange(HORIZON) < steps[..., None]
    actions, zeros = np.zeros(mask.shape, np.int32), np.zeros(mask.shape, np.float32)
    phases = [
        Episodes(pictures[:, i, None], *(x[:, i, None] for x in (actions, zeros, zeros > 0, mask)), None)  # type: ignore[arg-type]
        for i in range(2)
    ]
    return Trial(np.arange(len(pictures))[:, None].astype(np.int32), *phases, np.zeros(len(pictures), bool))  # type: ignore[arg-type]


add = jax.jit(lambda replay, given: ring.add(replay, given, jnp.zeros(BATCH)))
take = jax.jit(ring.take)


def batches(count: int, picture, steps) -> tuple[ring.Replay, list[Trial]]:
    """A replay for 8 trials to which so many batches were added, and these."""
    replay, all_ = ring.init(PICTURES, Protocol(), 8, packed=True), []
    for i in range(count):
        given = trials(picture(BATCH, 2, HORIZON + 1, HEIGHT, WIDTH, 3, seed=i), steps(i))
        replay = add(replay, given)
        all_ += [jax.tree.map(lambda x, j=j: x[j], given) for j in range(BATCH)]
    return replay, all_


def same(replay: ring.Replay, all_: list[Trial]) -> list[int]:
    """Which trials are stored; their pictures are checked."""
    rows = np.flatnonzero(replay.stored)
    found = []
    for row in rows:
        number = max(n for n in range(len(all_)) if n % 8 == row)
        taken = take(replay, jnp.array([row, row]))
        for phase in ("exploration", "exploitation"):
            there, given = getattr(taken, phase), getattr(all_[number], phase)
            seen = np.asarray(given.seen)
            np.testing.assert_array_equal(np.asarray(there.observations)[0][seen], given.observations[seen])
            assert not np.asarray(there.observations)[0][~seen].any()
        found.append(number)
    return sorted(found)


def few(i: int) -> np.ndarray:
    return np.array([[i % 3, 0], [1, (i + 1) % 2]])


def all_steps(i: int) -> np.ndarray:
    return np.full((BATCH, 2), HORIZON)


@pytest.mark.slow
def test_all_trials_are_kept_where_pictures_are_plain():
    plain = lambda *shape, seed: np.full(shape, seed, np.uint8)  # noqa: E731
    replay, all_ = batches(11, plain, all_steps)
    assert same(replay, all_) == list(range(14, 22))
    assert int(replay.size) == 8


@pytest.mark.slow
def test_the_same_is_drawn_and_taken_packed_or_not():
    plain = lambda *shape, seed: np.full(shape, seed, np.uint8)  # noqa: E731
    packed_, all_ = batches(6, plain, few)
    whole = ring.init(PICTURES, Protocol(), 8)
    for i in range(6):
        whole = add(whole, jax.tree.map(lambda *x: np.stack(x), *all_[BATCH * i : BATCH * (i + 1)]))
    draw = lambda replay: ring.draw(replay, ring.success_weights(replay), BATCH, 0, 0, jax.random.key(3))  # noqa: E731
    drawn = [draw(packed_), draw(whole)]
    jax.tree.map(np.testing.assert_array_equal, *drawn)
    one, other = (take(replay, *drawn[0]) for replay in (packed_, whole))
    for phase in ("exploration", "exploitation"):
        seen = np.asarray(getattr(one, phase).seen)
        pictures = [np.asarray(getattr(taken, phase).observations)[seen] for taken in (one, other)]
        np.testing.assert_array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize("steps", [few, all_steps])
def test_the_newest_are_kept_where_pictures_are_noise(steps):
    """The ring is gone round several times; what is said to be stored comes back, and nothing else is drawn."""
    for count in (1, 3, 4, 7, 11):
        replay, all_ = batches(count, noise, steps)
        kept = same(replay, all_)
        assert kept == list(range(len(all_) - len(kept), len(all_)))
        assert 1 <= len(kept) == int(replay.size) <= 8
        rows, weights = ring.draw(replay, ring.success_weights(replay), 40, 0, 0, jax.random.key(0))
        assert set(np.asarray(rows).tolist()) == {number % 8 for number in kept}
        np.testing.assert_allclose(weights, 1)
    assert len(kept) < 8


@pytest.mark.slow
def test_one_trial_is_always_kept():
    """A ring for a batch of which half fits: pictures are noise, and a quarter of their bytes is there for them."""
    replay = ring.init(PICTURES, Protocol(), BATCH, packed=True)
    given = trials(noise(BATCH, 2, HORIZON + 1, HEIGHT, WIDTH, 3), all_steps(0))
    for _ in range(3):
        replay = add(replay, given)
        assert np.asarray(replay.stored).tolist() == [False, True]
        taken = take(replay, jnp.array([1, 1]))
        np.testing.assert_array_equal(taken.exploitation.observations[0], given.exploitation.observations[1])


@pytest.mark.slow
@pytest.mark.long
def test_several_replays_at_once():
    given = [trials(noise(BATCH, 2, HORIZON + 1, HEIGHT, WIDTH, 3, seed=i), few(i)) for i in range(3)]
    stacked = jax.tree.map(lambda *x: np.stack(x), *given)
    empty = ring.init(PICTURES, Protocol(), 4, packed=True)
    many = jax.jit(jax.vmap(lambda given: ring.take(ring.add(empty, given, jnp.zeros(BATCH)), jnp.arange(BATCH))))
    found = many(stacked)
    for i, one in enumerate(given):
        alone = take(add(empty, one), jnp.arange(BATCH))
        jax.tree.map(lambda a, b, i=i: np.testing.assert_array_equal(a[i], b), found, alone)
