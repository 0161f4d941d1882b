"""A ring of trials on the device: `init`, `add`, `draw` rows, `take` them, `revise` how interesting they are."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.envs import MetaEnv
from scoutrl.trials.trial import Episodes, Trial


class Replay(eqx.Module):
    """The newest trials, oldest overwritten first. Whole numbers are kept in the smallest type their space allows."""

    trials: Trial
    """Leading axis [capacity]."""
    interest: Float[Array, " capacity"]
    """How much there is to learn from each trial, by a measure of the algorithm's own."""
    added: Int[Array, ""]
    """Trials ever added, brought back by whole turns of the ring so that it never overflows."""

    @property
    def capacity(self) -> int:
        """The most trials kept."""
        return self.interest.shape[0]

    @property
    def size(self) -> Int[Array, ""]:
        """Trials stored, at least 1 so that one may divide by it."""
        return jnp.clip(self.added, 1, self.capacity)


def init(env: MetaEnv, example: Trial, capacity: int) -> Replay:
    """An empty ring for trials shaped like `example` (arrays or their shapes, no leading axis)."""
    small = jax.eval_shape(lambda trial: _pack(env, trial), example)
    trials = jax.tree.map(lambda x: jnp.zeros((capacity, *x.shape), x.dtype), small)
    return Replay(trials, jnp.zeros(capacity), jnp.int32(0))


def add(env: MetaEnv, replay: Replay, trials: Trial, interest: Float[Array, " batch"]) -> Replay:
    """Write [batch] trials; the capacity must be a multiple of the batch."""
    start = replay.added % replay.capacity
    written, interests = jax.tree.map(
        lambda ring, new: jax.lax.dynamic_update_slice_in_dim(ring, new, start, axis=0),
        (replay.trials, replay.interest),
        (_pack(env, trials), interest),
    )
    added = replay.added + interest.shape[0]
    return Replay(written, interests, jnp.where(added >= 2 * replay.capacity, added - replay.capacity, added))


def revise(replay: Replay, rows: Int[Array, " batch"], interest: Float[Array, " batch"]) -> Replay:
    """Note the interest of some trials anew."""
    return eqx.tree_at(lambda r: r.interest, replay, replay.interest.at[rows].set(interest))


def successes(replay: Replay, floor: float = -1e9) -> Float[Array, " capacity"]:
    """Running chances, row by row, to be drawn as a success.

    A success is a trial whose exploitation return is above the mean of all stored and above `floor`. Every kind of
    success, a problem with its goals, is as likely as any other: those that come easily do not crowd out the others.
    """
    returns = replay.trials.exploitation.rewards.sum(axis=(1, 2))
    stored = jnp.arange(replay.capacity) < replay.size
    above = stored & (returns > jnp.maximum((returns * stored).sum() / replay.size, floor) + 1e-6)
    kinds = _kinds(replay.trials)
    alike = jnp.zeros(_KINDS).at[kinds].add(above)
    return jnp.cumsum(above / jnp.maximum(alike[kinds], 1))


def draw(
    replay: Replay, success: Float[Array, " capacity"], count: int, successes: int, interesting: int, key: PRNGKeyArray
) -> Int[Array, " count"]:
    """Rows of `count` trials, drawn with replacement: rare good trials are seen again and again.

    Of them, `successes` are drawn by the running chances `success`, `interesting` from the trials whose interest is
    above the mean, the rest from all. Where there are none of a kind, from all as well.
    """
    uniform, success_key, interest_key = jax.random.split(key, 3)
    rows = jax.random.randint(uniform, (count,), 0, replay.size)
    stored = jnp.arange(replay.capacity) < replay.size
    interest = replay.interest
    above = stored & (interest > (interest * stored).sum() / replay.size + 1e-6)
    parts = [
        _drawn(success, rows[:successes], success_key),
        _drawn(jnp.cumsum(above.astype(jnp.float32)), rows[successes : successes + interesting], interest_key),
        rows[successes + interesting :],
    ]
    return jnp.concatenate(parts)


def take(replay: Replay, rows: Int[Array, " batch"]) -> Trial:
    """The trials in `rows`."""
    return _unpack(jax.tree.map(lambda ring: ring[rows], replay.trials))


def _drawn(running: Float[Array, " capacity"], otherwise: Int[Array, " n"], key: PRNGKeyArray) -> Int[Array, " n"]:
    """Rows drawn by running chances; `otherwise` where all chances are nil."""
    if not len(otherwise):
        return otherwise
    places = jax.random.uniform(key, otherwise.shape, maxval=running[-1])
    # A row without a chance leaves the running sum as it is, and is never the first above any place.
    return jnp.where(running[-1] > 0, jnp.searchsorted(running, places, side="right"), otherwise)


_KINDS = 4096
"""Kinds of successes that are told apart, but for chance collisions."""


def _kinds(trials: Trial) -> Int[Array, " trials"]:
    """A number for each trial, the same for the same problem and goals, by multiplying and adding bits."""
    goals = trials.exploitation.goals
    parts = [trials.problem] if goals is None else [trials.problem, goals]
    flat = [part.reshape(len(part), -1) for part in parts]
    flat = [jax.lax.bitcast_convert_type(x, jnp.int32) if x.dtype == jnp.float32 else x for x in flat]
    numbers = jnp.concatenate([x.astype(jnp.uint32) for x in flat], axis=1)
    factors = np.random.default_rng(0).integers(2**32, size=numbers.shape[1], dtype=np.uint32) | 1
    mixed = ((numbers + 1) * factors).sum(axis=1, dtype=jnp.uint32)
    return ((mixed ^ (mixed >> 15)) % _KINDS).astype(jnp.int32)


def _pack(env: MetaEnv, trial: Trial) -> Trial:
    def pack(episodes: Episodes) -> Episodes:
        spaces = env.spaces
        return Episodes(
            _shrink(spaces.observation, episodes.observations),
            _shrink(spaces.action, episodes.actions),
            episodes.rewards,
            episodes.terminated,
            episodes.mask,
            _shrink(spaces.goal, episodes.goals),
        )

    return dataclasses.replace(trial, exploration=pack(trial.exploration), exploitation=pack(trial.exploitation))


def _unpack(trial: Any) -> Any:
    return jax.tree.map(lambda x: x.astype(jnp.int32) if x.dtype in (jnp.int8, jnp.int16) else x, trial)


def _shrink(space: Space | None, x: Any) -> Any:
    if not isinstance(space, Discrete | MultiDiscrete):
        return x
    top = int(np.max(space.start + (space.n if isinstance(space, Discrete) else space.nvec)))
    bottom = int(np.min(space.start))
    small = next(t for t in (jnp.int8, jnp.int16, jnp.int32) if jnp.iinfo(t).min <= bottom and top <= jnp.iinfo(t).max)
    return x.astype(small)
