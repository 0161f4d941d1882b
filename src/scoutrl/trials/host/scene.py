"""One half of a pool, as those who play in it see it: arrays of some trials go in and out."""

from typing import final

import numpy as np

from scoutrl.envs import Step
from scoutrl.pool.pool import Pool


@final
class Scene:
    """One half of a pool, while a group is played in it."""

    def __init__(self, pool: Pool, half: int, lost: dict[int, str]):
        """Play in a half of `pool`; slots that are lost, of both halves, are noted in `lost` with the reason."""
        self._pool, self._half, self._lost, self._began = pool, half, lost, False

    def reset(self, rows: np.ndarray, seeds: np.ndarray, active: np.ndarray) -> None:
        """Begin to reset the active trials, to the problems in these rows, with these seeds."""
        self._set_active(active)
        self._pool.of("row", self._half)[: len(rows)] = rows
        self._pool.of("seed", self._half)[: len(seeds)] = seeds
        self._pool.reset(self._half)
        self._began = True

    def step(self, action: np.ndarray, active: np.ndarray) -> None:
        """Begin to step the active trials."""
        self._set_active(active)
        self._pool.of("action", self._half)[: len(action)] = action
        self._pool.step(self._half)
        self._began = True

    def lost(self) -> list[tuple[int, str]]:
        """The trials that were lost since last asked, in their order; waits for what was begun."""
        self._wait()
        first = self._half * self._pool.size
        mine = sorted(slot for slot in self._lost if first <= slot < first + self._pool.size)
        return [(slot - first, self._lost.pop(slot)) for slot in mine]

    def seen(self, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """What is seen, and the goals, [count, …]."""
        goal = self._pool.has("goal")
        seen = self._pool.of("observation", self._half)[:count].copy()
        return seen, self._pool.of("goal", self._half)[:count].copy() if goal else None

    def answer(self, active: np.ndarray, before: np.ndarray) -> Step:
        """What the active trials were answered; others see what they saw `before`, and earn nothing."""
        self._wait()
        new, *rest = (
            self._pool.of(name, self._half)[: len(active)].copy()
            for name in ("observation", "reward", "terminated", "truncated")
        )
        reward, terminated, truncated = rest
        wide = active.reshape(-1, *[1] * (new.ndim - 1))
        fields = np.where(wide, new, before), np.where(active, reward, 0), terminated & active, truncated & active
        return Step(*fields)  # pyright: ignore[reportArgumentType]

    def _set_active(self, active: np.ndarray) -> None:
        here = self._pool.of("active", self._half)
        here[:] = False
        here[: len(active)] = active

    def _wait(self) -> None:
        if self._began:
            self._began = False
            self._lost |= self._pool.wait(self._half)
