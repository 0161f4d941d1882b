"""Families in JAX are played while the agent is watched, and drawn from their states."""

from collections.abc import Sequence
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from scoutrl.envs import MetaEnv
from scoutrl.envs.base import State
from scoutrl.envs.check import check_render
from scoutrl.envs.raised import callbacks_of
from scoutrl.envs.spot import spot
from scoutrl.evaluation.recorded import Drawer, Drawn
from scoutrl.evaluation.stage import Played, Stage
from scoutrl.trials.agent import Agent
from scoutrl.trials.trial import Episodes

_AT_ONCE = 32
"""Pictures that are drawn at a time."""


@final
class StageInJax(Stage):
    """A family in JAX itself."""

    def __init__(self, env: MetaEnv):
        """Play `env`.

        Raises:
            ScoutError: it cannot be drawn.
        """
        check_render(env)
        self._env = env

        def drawn(states: State, goal: bool) -> Array:
            return jax.vmap(lambda state: env.picture(state, goal))(states)

        self._draw = jax.jit(drawn, static_argnums=1)

    def prepare(self, agent: Agent, ids: np.ndarray, keys: PRNGKeyArray) -> None:
        """Nothing."""

    def env(self, prepared: Any, place: int) -> MetaEnv:
        """The family."""
        return self._env

    def note(self, state: State) -> tuple[State, Array]:
        """The state, and where the agent is in its picture."""
        return state, spot(self._env, state)

    def as_played(self, prepared: Any, place: int, watched: Episodes) -> Episodes:
        """The same."""
        return watched

    def drawer(self, played: Played) -> Drawer:
        """From the states."""
        return _FromStates(self._env.title, self._draw, played)


@final
class _FromStates(Drawer):
    """Draws states."""

    def __init__(self, title: str, draw: Any, played: Played):
        self._title, self._draw, self._played = title, draw, played

    def draw(self, trials: Sequence[int]) -> list[list[Drawn]]:
        """The same episode of all trials together."""
        places = [self._of_place(trials, place) for place in range(len(self._played.shown))]
        return [list(of_trial) for of_trial in zip(*places, strict=True)]

    def _of_place(self, trials: Sequence[int], place: int) -> list[Drawn]:
        counts = self._played.counts(trials, place)
        states, spots = jax.tree.map(
            lambda x: _joined([x[trial, :count] for trial, count in zip(trials, counts, strict=True)]),
            self._played.noted[place],
        )
        pictures, ends = self._pictures(states, self._played.shown[place], sum(counts)), np.cumsum(counts)[:-1]
        return list(map(Drawn, np.split(pictures, ends), np.split(spots, ends)))

    def _pictures(self, states: State, goal: bool, count: int) -> np.ndarray:
        """The pictures of `count` states, a few at a time: compiled once, with little memory."""
        filled = jax.tree.map(lambda x: _joined([x, *[x[-1:]] * (-count % _AT_ONCE)]), states)
        with callbacks_of(self._title):
            drawn = [
                np.asarray(self._draw(jax.tree.map(lambda x, start=start: x[start : start + _AT_ONCE], filled), goal))
                for start in range(0, count, _AT_ONCE)
            ]
        return np.concatenate(drawn)[:count]


def _joined(parts: Sequence[Any]) -> Any:
    """One after the other; NumPy does not know the keys that some families keep in their states."""
    keys = jnp.issubdtype(parts[0].dtype, jax.dtypes.prng_key)
    return jnp.concatenate(parts) if keys else np.concatenate(parts)
