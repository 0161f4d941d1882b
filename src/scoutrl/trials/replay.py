"""A ring of trials on the device: `init`, `add`, `draw` rows, `take` them, `revise` their priorities."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from scoutrl.envs import Problem, Spec
from scoutrl.envs.spaces import is_image
from scoutrl.trials import frames
from scoutrl.trials.blank import blank
from scoutrl.trials.frames import Frames
from scoutrl.trials.trial import Protocol, Trial


class Replay(eqx.Module):
    """The newest trials, oldest overwritten first.

    Whole numbers are kept in the smallest type their space allows, pictures in `frames` if they are to be packed.
    """

    trials: Trial
    """Leading axis [capacity]; without observations if those are in `frames`."""
    priority: Float[Array, " capacity"]
    """How much there is to learn from each trial, by the algorithm's own measure."""
    added: Int[Array, ""]
    """Trials ever added, brought back by whole turns of the ring so that it never overflows."""
    frames: Frames | None = None
    """Observations that are packed pictures; as long as they are `kept`, so are their trials."""

    @property
    def capacity(self) -> int:
        """The most trials kept."""
        return self.priority.shape[0]

    @property
    def stored(self) -> Bool[Array, " capacity"]:
        """Which rows hold a trial; in an empty ring the first is said to."""
        within = jnp.arange(self.capacity) < jnp.clip(self.added, 1, self.capacity)
        return within if self.frames is None else within & self.frames.kept

    @property
    def size(self) -> Int[Array, ""]:
        """Trials stored, at least 1 so that one may divide by it."""
        return jnp.clip(self.added, 1, self.capacity) if self.frames is None else self.stored.sum()


def init(spec: Spec, protocol: Protocol, capacity: int, packed: bool = False) -> Replay:
    """An empty ring for `capacity` trials of a family, all its shapes from the family's spaces.

    With `packed`, observations that are pictures are kept in a quarter of their bytes (`frames`).
    """
    trial = blank(spec, protocol, capacity)
    if not packed or not is_image(spec.spaces.observation):
        return Replay(trial, jnp.zeros(capacity), jnp.int32(0))
    pictures, trial = frames.init(trial)
    return Replay(trial, jnp.zeros(capacity), jnp.int32(0), pictures)


def add(replay: Replay, trials: Trial, priority: Float[Array, " batch"]) -> Replay:
    """Write [batch] trials; the capacity must be a multiple of the batch."""
    start, pictures = replay.added % replay.capacity, replay.frames
    if pictures is not None:
        pictures, trials = frames.add(pictures, start, trials)
    given = (_without_kept(trials), priority)
    written, priorities = jax.tree.map(
        lambda ring, new: jax.lax.dynamic_update_slice_in_dim(ring, new.astype(ring.dtype), start, axis=0),
        (replay.trials, replay.priority),
        given,
    )
    added = replay.added + priority.shape[0]
    added = jnp.where(added >= 2 * replay.capacity, added - replay.capacity, added)
    return Replay(written, priorities, added, pictures)


def revise(replay: Replay, rows: Int[Array, " batch"], priority: Float[Array, " batch"]) -> Replay:
    """Replace the priorities of some trials."""
    return eqx.tree_at(lambda r: r.priority, replay, replay.priority.at[rows].set(priority))


def success_weights(replay: Replay, floor: float = -1e9) -> Float[Array, " capacity"]:
    """Sampling weights over rows, up to a factor; a trial that did not succeed weighs nothing.

    A success is a trial whose exploitation return is above the mean of all stored and above `floor`. Every kind of
    success, a problem with its goals, weighs as much as any other: easy ones do not crowd out the others.
    """
    returns = replay.trials.exploitation.rewards.sum(axis=(1, 2))
    stored = replay.stored
    above = stored & (returns > jnp.maximum((returns * stored).sum() / replay.size, floor) + 1e-6)
    kinds = _kinds(replay.trials)
    alike = jnp.zeros(_KINDS).at[kinds].add(above)
    return above / jnp.maximum(alike[kinds], 1)


def draw(
    replay: Replay, success: Float[Array, " capacity"], count: int, successes: int, prioritised: int, key: PRNGKeyArray
) -> tuple[Int[Array, " count"], Float[Array, " count"]]:
    """Draw rows of `count` trials with replacement, rare good trials more often than they occur.

    Of them, `successes` are drawn by the weights `success`, `prioritised` from the trials whose priority is above the
    mean, the rest from all. Where there are none of a kind, all are drawn from instead.

    Returns:
        Rows, and their importance weights: the chance of a row if all were as likely, over its chance in a draw of a
        part chosen at random. With them a mean over draws is that over all trials, whatever the shares (the balance
        heuristic of Veach & Guibas 1995; Schaul et al. 2016 weight replay for the same reason).
    """
    uniform, success_key, priority_key = jax.random.split(key, 3)
    stored, priority = replay.stored, replay.priority
    above = stored & (priority > (priority * stored).sum() / replay.size + 1e-6)
    rows = [jax.random.randint(uniform, (count,), 0, replay.size)[successes + prioritised :]]
    if replay.frames is not None:
        rows = [jnp.searchsorted(jnp.cumsum(stored), rows[0], side="right")]  # there may be gaps among them
    chances = len(rows[0]) * stored / replay.size
    for weights, some, some_key in ((above, prioritised, priority_key), (success, successes, success_key)):
        if some:
            weights = jnp.where(weights.any(), weights, stored)
            rows.insert(0, _drawn(weights, some, some_key))
            chances += some * weights / weights.sum()
    chosen = jnp.concatenate(rows)
    return chosen, count / (replay.size * chances[chosen])


def of_problems(replay: Replay, problems: Problem, count: int, key: PRNGKeyArray) -> Int[Array, "batch count"]:
    """Draw rows of `count` stored trials of each of some problems [batch, k], which has to have one."""

    def draw(problem: Problem, key: PRNGKeyArray) -> Int[Array, " count"]:
        alike = (replay.trials.problem == problem[None]).all(axis=1) & replay.stored
        return _drawn(alike, count, key)

    return jax.vmap(draw)(problems, jax.random.split(key, len(problems)))


def take(replay: Replay, rows: Int[Array, " batch"], weights: Float[Array, " batch"] | None = None) -> Trial:
    """The trials in `rows`, with importance weights."""
    trials = _unpack(jax.tree.map(lambda ring: ring[rows], replay.trials))
    if replay.frames is not None:
        trials = frames.take(replay.frames, rows, trials)
    return dataclasses.replace(trials, weight=weights)


def _drawn(weights: Float[Array, " capacity"], count: int, key: PRNGKeyArray) -> Int[Array, " count"]:
    """Rows drawn by weights."""
    cumulative = jnp.cumsum(weights.astype(jnp.float32))
    # A row of weight 0 leaves the sum as it is, and is never the first above any place.
    return jnp.searchsorted(cumulative, jax.random.uniform(key, (count,), maxval=cumulative[-1]), side="right")


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
    mixed = ((numbers + 1) * factors[None]).sum(axis=1, dtype=jnp.uint32)
    return ((mixed ^ (mixed >> 15)) % _KINDS).astype(jnp.int32)


def _without_kept(trials: Trial) -> Trial:
    """What was kept of decisions is for learners on fresh trials; priorities change, and are kept beside them."""
    phases = [dataclasses.replace(episodes, kept=None) for episodes in (trials.exploration, trials.exploitation)]
    return dataclasses.replace(trials, exploration=phases[0], exploitation=phases[1], priority=None)


def _unpack(trial: Any) -> Any:
    return jax.tree.map(lambda x: x.astype(jnp.int32) if x.dtype in (jnp.int8, jnp.int16) else x, trial)
