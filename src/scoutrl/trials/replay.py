"""A ring of trials on the device: `init`, `add`, `draw` rows, `take` them, `revise` how interesting they are."""

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


def draw(
    replay: Replay, count: int, successes: int, interesting: int, key: PRNGKeyArray, floor: float = -1e9
) -> Int[Array, " count"]:
    """Rows of `count` trials, drawn with replacement: rare good trials are seen again and again.

    Of them, `successes` are from the trials whose exploitation return is above the mean of all stored and above
    `floor`, `interesting` from those whose interest is above the mean, the rest from all. Where there are none of a
    kind, from all as well.
    """
    uniform, success, interest = jax.random.split(key, 3)
    rows = jax.random.randint(uniform, (count,), 0, replay.size)
    returns = replay.trials.exploitation.rewards.sum(axis=(1, 2))
    parts = [
        _above_mean(replay, returns, rows[:successes], success, floor),
        _above_mean(replay, replay.interest, rows[successes : successes + interesting], interest),
        rows[successes + interesting :],
    ]
    return jnp.concatenate(parts)


def take(replay: Replay, rows: Int[Array, " batch"]) -> Trial:
    """The trials in `rows`."""
    return _unpack(jax.tree.map(lambda ring: ring[rows], replay.trials))


def _above_mean(
    replay: Replay, score: Array, otherwise: Int[Array, " n"], key: PRNGKeyArray, floor: float = -1e9
) -> Int[Array, " n"]:
    """Rows drawn among the stored trials whose score is above the mean and the floor; `otherwise` without any."""
    if not len(otherwise):
        return otherwise
    stored = jnp.arange(replay.capacity) < replay.size
    above = stored & (score > jnp.maximum((score * stored).sum() / replay.size, floor) + 1e-6)
    running = jnp.cumsum(above)
    # The n-th of them stands where the running count first reaches n.
    nth = 1 + jax.random.randint(key, otherwise.shape, 0, jnp.maximum(running[-1], 1))
    return jnp.where(running[-1] > 0, jnp.searchsorted(running, nth), otherwise)


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

    return Trial(trial.problem, pack(trial.exploration), pack(trial.exploitation))


def _unpack(trial: Any) -> Any:
    return jax.tree.map(lambda x: x.astype(jnp.int32) if x.dtype in (jnp.int8, jnp.int16) else x, trial)


def _shrink(space: Space | None, x: Any) -> Any:
    if not isinstance(space, Discrete | MultiDiscrete):
        return x
    top = int(np.max(space.start + (space.n if isinstance(space, Discrete) else space.nvec)))
    bottom = int(np.min(space.start))
    small = next(t for t in (jnp.int8, jnp.int16, jnp.int32) if jnp.iinfo(t).min <= bottom and top <= jnp.iinfo(t).max)
    return x.astype(small)
