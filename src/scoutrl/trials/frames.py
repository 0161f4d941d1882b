"""The pictures of stored trials, packed without loss and one after another in a ring of words: `init`, `add`, `take`.

Only pictures that were seen are stored: none after the end of an episode. The ring has a quarter of the bytes that all
pictures of all trials would take as they are. Where the trials of the replay need more than that, because episodes are
long and pictures are noise, the newest overwrite the oldest and fewer trials are `kept`.
"""

import dataclasses
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt8, UInt32

from scoutrl.trials.active import block_size, compact
from scoutrl.trials.packing import Packing
from scoutrl.trials.trial import Episodes, Trial

SHARE = 4
"""Bytes of all pictures of all trials, over bytes that are there for them."""
MOST = 2**30
"""Words of the largest ring: places are counted in 32 bits."""
AT_ONCE = 32
"""Pictures that a CPU packs or unpacks at a time."""

Pictures = UInt8[Array, "batch pictures height width channels"]
Seen = Bool[Array, "batch pictures"]


class Frames(eqx.Module):
    """The pictures of the trials of a replay, by row."""

    words: UInt32[Array, " words"]
    """The ring: packed pictures."""
    begins: Int[Array, "capacity pictures"]
    """Place in the ring of the first word of each picture that was seen."""
    behind: Int[Array, " capacity"]
    """Words written since a trial began to be written, its own with them; 1 more than there are where it is lost."""
    end: Int[Array, ""]
    """Place of the next word to be written."""
    packing: Packing
    """How pictures are packed."""

    @property
    def kept(self) -> Bool[Array, " capacity"]:
        """Whether no picture of a row's trial is overwritten."""
        return self.behind <= len(self.words)


def init(trials: Trial) -> tuple[Frames, Trial]:
    """Room for the pictures of blank trials [capacity], and the trials without them. One trial always fits."""
    seen, shape = _seen(trials), trials.exploration.observations.shape[3:]
    packing = Packing(shape)
    size = max(seen.size * math.prod(shape) // (4 * SHARE), seen.shape[1] * packing.longest)
    blank = jnp.zeros(seen.shape, jnp.int32), jnp.zeros(len(seen), jnp.int32), jnp.int32(0)
    return Frames(jnp.zeros(min(size, MOST), jnp.uint32), *blank, packing), _with(trials, None, None)


def add(frames: Frames, start: Int[Array, ""], trials: Trial) -> tuple[Frames, Trial]:
    """Write the pictures seen in trials [batch], whose rows begin with `start`; also give the trials without them."""
    seen, size = _seen(trials), len(frames.words)
    pictures = jnp.concatenate([_by_trial(episodes.observations) for episodes in _phases(trials)], axis=1)
    ring, begins, written = _write(frames, pictures, seen)
    behind = jnp.minimum(frames.behind + written, size + 1)
    # Of each trial the first picture is always seen.
    own = jnp.minimum(written - begins[:, 0], size + 1)
    added = dataclasses.replace(
        frames,
        words=ring,
        begins=jax.lax.dynamic_update_slice_in_dim(frames.begins, (frames.end + begins) % size, start, axis=0),
        behind=jax.lax.dynamic_update_slice_in_dim(behind, own, start, axis=0),
        end=(frames.end + written) % size,
    )
    return added, _with(trials, None, None)


def take(frames: Frames, rows: Int[Array, " batch"], trials: Trial) -> Trial:
    """The trials [batch] that are in `rows`, with their pictures; black ones where none was seen."""
    pictures = _read(frames, rows, _seen(trials))
    first, second = (episodes.mask for episodes in _phases(trials))
    parts = jnp.split(pictures, [first[0].size + first.shape[1]], axis=1)
    shapes = [(*mask.shape[:2], -1, *frames.packing.shape) for mask in (first, second)]
    return _with(trials, *(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))


def _write(frames: Frames, pictures: Pictures, seen: Seen) -> tuple[Array, Array, Array]:
    """The ring with pictures written behind its end, how far behind that each begins, and all words written."""
    size, packing, count = len(frames.words), frames.packing, seen.size
    places, blocks = compact(seen.reshape(-1), block_size(count, AT_ONCE))
    planes = packing.planes(pictures.reshape(count, *packing.shape))

    def block(i: Array, done: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        ring, begins, written = done
        values = _apart(packing.differences, planes.at[places[i]].get(mode="clip"), blocks)
        words, order, lengths = packing.pack(values)
        is_picture = places[i] < count
        ends = written + jnp.cumsum(jnp.where(is_picture, lengths, 0))
        begin = ends - lengths
        # What would be overwritten by this very block is not written: the order of writing is not defined.
        stays = (order < packing.longest) & is_picture[:, None] & (ends[-1] - begin[:, None] - order <= size)
        at = _around((frames.end + begin)[:, None] % size + order, size)
        ring = ring.at[jnp.where(stays, at, size)].set(words, mode="drop", unique_indices=True)
        return ring, begins.at[places[i]].set(begin, mode="drop"), ends[-1]

    blank = frames.words, jnp.zeros(count, jnp.int32), jnp.int32(0)
    ring, begins, written = jax.lax.fori_loop(0, blocks, block, blank)
    return ring, begins.reshape(seen.shape), written


def _read(frames: Frames, rows: Int[Array, " batch"], seen: Seen) -> Pictures:
    size, packing, count = len(frames.words), frames.packing, seen.size
    some = block_size(count, AT_ONCE)
    places, blocks = compact(seen.reshape(-1), some)
    begins = frames.begins[rows].reshape(-1)

    def block(i: Array, done: Array) -> Array:
        begin = begins.at[places[i]].get(mode="clip")

        def fetch(order: Array) -> Array:
            at = _around(begin.reshape(-1, *(1,) * (order.ndim - 1)) + order, size)
            return frames.words.at[at].get(mode="promise_in_bounds")

        least, digits = packing.read(fetch, some)
        planes = _apart(lambda digits: packing.unpack(least, digits), digits, blocks)
        return done.at[places[i]].set(packing.pictures(planes), mode="drop")

    pictures = jax.lax.fori_loop(0, blocks, block, jnp.zeros((count, *packing.shape), jnp.uint8))
    return pictures.reshape(*seen.shape, *packing.shape)


def _apart(step: Callable[[Array], Array], x: Array, blocks: Int[Array, ""]) -> Array:
    """`step` of `x` as a loop of one turn, if there are any blocks: XLA does not join it with what is around it."""
    return jax.lax.fori_loop(0, jnp.minimum(blocks, 1), lambda _, x: step(x), x)


def _around(place: Int[Array, "..."], size: int) -> Int[Array, "..."]:
    """A place in the ring, from one that may be beyond its end."""
    return jnp.where(place >= size, place - size, place)


def _phases(trials: Trial) -> tuple[Episodes, Episodes]:
    return trials.exploration, trials.exploitation


def _seen(trials: Trial) -> Seen:
    """Which observations were seen, those of all episodes of a trial end to end."""
    return jnp.concatenate([_by_trial(episodes.seen) for episodes in _phases(trials)], axis=1)


def _by_trial(x: Array) -> Array:
    """From [batch, episode, time, …] to [batch, all times, …]."""
    return x.reshape(len(x), -1, *x.shape[3:])


def _with(trials: Trial, exploration: Array | None, exploitation: Array | None) -> Trial:
    """Trials with these observations."""
    pairs = zip(_phases(trials), (exploration, exploitation), strict=True)
    first, second = (dataclasses.replace(episodes, observations=observations) for episodes, observations in pairs)
    return dataclasses.replace(trials, exploration=first, exploitation=second)
