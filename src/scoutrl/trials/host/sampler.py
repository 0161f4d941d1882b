"""The sampler of families on the host: a loop in Python around agents that are compiled."""

import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from scoutrl import prng
from scoutrl.envs.host import HostFamily
from scoutrl.errors import ScoutError
from scoutrl.lowering import Lowered, Uncompiled
from scoutrl.pool.pool import HALVES, Pool
from scoutrl.trials.base_sampler import MakeAgent, Sampler
from scoutrl.trials.host.group import Cast, Group
from scoutrl.trials.host.scene import Scene
from scoutrl.trials.host.verbs import Verbs
from scoutrl.trials.trial import Protocol, Trial

MOST = 32
"""The most trials that are played at once in a half of the pool: more wait until a half is free."""
_AGAIN = 3
"""How often a trial is played again whose environment fails each time."""
_FAILURES, _SHARE = 30, 0.1
"""So many times may something fail, and besides in this share of all trials."""


@final
class HostSampler(Sampler):
    """Trials of environments in worker processes: while one half is stepped, the agent acts for the other.

    The order of everything is fixed, and each episode begins with a reset by a seed of its own: trials repeat as far as
    the environments do. A trial that is lost with its worker is played again with the same keys.
    """

    traced = False

    def __init__(self, family: HostFamily):
        """Sample trials of `family`; workers are started for the first of them."""
        self._family = family
        self._pool: Pool | None = None
        self._verbs: dict[Any, Verbs] = {}
        self._rows = {row.tobytes(): number for number, row in enumerate(_plain(family.problems.ids))}
        self._played = self._told = 0
        self._end: Any = None
        self._rehearsing, self._lock = False, threading.Lock()

    @property
    def spec(self) -> HostFamily:
        """The family."""
        return self._family

    def sample(self, make_agent: MakeAgent, problems: Array, keys: PRNGKeyArray, protocol: Protocol) -> Trial:
        """All trials, in groups of at most `MOST`; fields are arrays of NumPy."""
        ids = np.asarray(problems)
        size = min(MOST, -(-len(ids) // HALVES))
        cast = Cast(make_agent, self._verbs_for(make_agent, ids[0], keys[0], protocol), protocol)
        groups = [self._group(ids, keys, start, size) for start in range(0, len(ids), size)]
        found = self._all(groups, cast)
        return jax.tree.map(lambda *leaves: np.concatenate(leaves)[: len(ids)], *found)

    def call(self, function: Callable, *arguments: Any) -> Any:
        """Compiled by itself, once for arguments of the same shapes."""
        return eqx.filter_jit(function)(*arguments)

    def lower(self, function: Callable, *arguments: Any) -> Lowered:
        """The function itself: what it calls is compiled by rehearsing it, with no environment on the stage."""
        if not any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(arguments)):
            return Uncompiled(function, None)
        with self._lock:  # one rehearsal at a time
            self._rehearsing = True
            try:
                result = function(*jax.tree.map(_anything, arguments))
            finally:
                self._rehearsing = False
        return Uncompiled(function, jax.eval_shape(lambda: result))

    def report(self) -> dict[str, float]:
        """`env_restarts`: environments and workers that had to be made again since last asked."""
        now = 0 if self._pool is None else self._pool.restarts
        before, self._told = self._told, now
        return {"env_restarts": float(now - before)}

    def close(self) -> None:
        """End the workers; the next trials would start others."""
        if self._pool is not None:
            self._end()
            self._pool, self._told = None, 0

    def _workers(self) -> Pool:
        if self._pool is None:
            source = self._family.source
            self._pool = Pool(source.job, MOST, source.workers, source.patience)
            # Nobody has to call `close`.
            self._end = weakref.finalize(self, self._pool.close)
        return self._pool

    def _verbs_for(self, make_agent: MakeAgent, problem: np.ndarray, key: PRNGKeyArray, protocol: Protocol) -> Verbs:
        arrays, rest = eqx.partition(make_agent, eqx.is_array)
        leaves, kind = jax.tree.flatten(rest)
        sign = jax.tree.structure(arrays), kind, tuple(leaves), protocol
        if sign not in self._verbs:
            self._verbs[sign] = Verbs(make_agent, problem, key, protocol, self._family.horizon)
        return self._verbs[sign]

    def _group(self, ids: np.ndarray, keys: PRNGKeyArray, start: int, size: int) -> Group:
        """Trials start … start + size; the last group is filled up, so that all have one shape."""
        places = np.arange(start, start + size)
        within = np.minimum(places, len(ids) - 1)
        problems = ids[within]
        rows = np.array([self._rows[row.tobytes()] for row in _plain(problems)], np.int32)
        wanted = (places < len(ids)) & (not self._rehearsing)
        return Group(self._family, problems, rows, keys[within], wanted)

    def _all(self, groups: list[Group], cast: Cast) -> list[Trial]:
        """Play all, and again those that were lost: first with the same keys, then with others."""
        if self._rehearsing:
            self._play(groups[:1], cast)
            return [groups[0].trial] * len(groups)  # pyright: ignore[reportReturnType]
        self._play(groups, cast)
        found = [group.trial for group in groups]
        for attempt in range(1, _AGAIN + 2):
            again = [place for place, group in enumerate(groups) if group.lost.any()]
            self._count(groups, again, attempt)
            if not again:
                return found  # pyright: ignore[reportReturnType]
            repeated = {place: self._again(groups[place], attempt) for place in again}
            self._play(list(repeated.values()), cast)
            for place, group in repeated.items():
                groups[place], found[place] = group, _merged(found[place], group)
        raise AssertionError("trials that fail again and again are told of")

    def _again(self, group: Group, attempt: int) -> Group:
        keys = group.keys if attempt == 1 else jax.vmap(lambda key: jax.random.fold_in(key, attempt))(group.keys)
        return Group(self._family, group.problems, group.rows, keys, group.lost)

    def _count(self, groups: list[Group], again: list[int], attempt: int) -> None:
        """Take note of what was lost.

        Raises:
            ScoutError: it is too much.
        """
        self._played += sum(int(group.wanted.sum()) for group in groups) if attempt == 1 else 0
        failures = self._workers().restarts
        if not again or (attempt <= _AGAIN and failures <= _FAILURES + _SHARE * self._played):
            return
        reason = next(iter(groups[again[0]].reasons.values()))
        raise ScoutError(
            f"environments of {self._family.name} fail again and again ({failures} times in {self._played} trials), "
            f"the last one in {reason}. Mend it; the same command then goes on."
        )

    def _play(self, groups: list[Group], cast: Cast) -> None:
        """Play groups in the two halves of the pool, turn by turn."""
        pool, waiting, lost = self._workers(), deque(groups), {}
        lanes: list[Any] = [None] * HALVES
        while waiting or any(lane is not None for lane in lanes):
            for half in range(HALVES):
                if lanes[half] is None and waiting:
                    lanes[half] = waiting.popleft().play(Scene(pool, half, lost), cast)
                if lanes[half] is not None and next(lanes[half], _OVER) is _OVER:
                    lanes[half] = None


_OVER = object()
"""What a group says that has been played to its end."""


def _anything(leaf: Any) -> Any:
    """An array of the shape and type that a leaf says."""
    if not isinstance(leaf, jax.ShapeDtypeStruct):
        return leaf
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.split(prng.key(0), leaf.shape) if leaf.shape else prng.key(0)
    return jnp.zeros(leaf.shape, leaf.dtype)


def _plain(ids: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(ids + ids.dtype.type(0))  # -0.0 becomes 0.0


def _merged(trial: Any, group: Group) -> Any:
    """`trial` with what the group played of it."""

    def one(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        return np.where(group.wanted.reshape(-1, *[1] * (old.ndim - 1)), new, old)

    return jax.tree.map(one, trial, group.trial)
