"""Environments on the host are played first, then the agent is watched in what was recorded, then they are drawn.

Each episode begins with a reset by its seed: what is to be shown takes place once more, with the same actions.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal, final

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step
from scoutrl.envs.base import Action, Goal, Observation, Problem, State
from scoutrl.envs.host import HostFamily
from scoutrl.envs.host.look import own_code
from scoutrl.envs.host.render import drawing_env, picture_of, spot_in
from scoutrl.errors import ScoutError
from scoutrl.evaluation.evaluate import same_agent
from scoutrl.evaluation.recorded import Drawer, Drawn
from scoutrl.evaluation.stage import Played, Stage, keys_of
from scoutrl.pool.worker import close
from scoutrl.trials.agent import Agent
from scoutrl.trials.sampler import sampler_for
from scoutrl.trials.trial import Episodes, Protocol


@final
class StageOnHost(Stage):
    """Environments in worker processes."""

    def __init__(self, family: HostFamily, protocol: Protocol):
        """Play `family`.

        Raises:
            ScoutError: it cannot be drawn.
        """
        self._family, self._protocol = family, protocol
        job = family.source.job
        env = drawing_env(job, 0)
        try:
            with own_code(f"the environment of problem {job.arguments[0]} raised"):
                job.reset(env, 0, 0)
            picture_of(env, goal=False)
        finally:
            close(env)

    def prepare(self, agent: Agent, ids: np.ndarray, keys: PRNGKeyArray) -> tuple[Episodes, Episodes]:
        """The trials: what happened in both phases."""
        with contextlib.closing(sampler_for(self._family)) as sampler:
            trials = sampler.sample(eqx.Partial(same_agent, agent), jnp.asarray(ids), keys, self._protocol)
        return trials.exploration, trials.exploitation

    def env(self, prepared: tuple[Episodes, Episodes], place: int) -> MetaEnv:
        """What happened then."""
        phase, number = self._where(place)
        episode = jax.tree.map(lambda x: jnp.asarray(x)[number], prepared[phase])
        given = {name: getattr(self._family, name) for name in ("problems", "spaces", "horizon", "time_limit")}
        return _Recording(episode=episode, **given)

    def as_played(self, prepared: tuple[Episodes, Episodes], place: int, watched: Episodes) -> Episodes:
        """With the actions that were taken: compiled apart, the agent that is watched may differ by a rounding."""
        phase, number = self._where(place)
        actions = np.asarray(prepared[phase].actions)[:, number]
        taken = watched.mask.reshape(*watched.mask.shape, *[1] * (actions.ndim - 2))
        return eqx.tree_at(lambda episode: episode.actions, watched, np.where(taken, actions, watched.actions))

    def note(self, state: State) -> None:
        """Nothing: states are the environments' own."""

    def drawer(self, played: Played) -> Drawer:
        """By having it happen again."""
        return _Again(self._family, self._protocol, played)

    def _where(self, place: int) -> tuple[int, int]:
        """The phase of an episode of a trial, and its number within that."""
        first = self._protocol.exploration_episodes
        return (0, place) if place < first else (1, place - first)


@final
class _Recording(MetaEnv):
    """An episode that has taken place, as an environment: whatever is done, it answers what was answered then."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    episode: Episodes
    time_limit: Literal["ends", "bootstrap"] = eqx.field(static=True)  # pyright: ignore[reportIncompatibleVariableOverride]

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[Int[Array, ""], Observation]:
        """What was seen first; a state is the number of steps so far."""
        return jnp.int32(0), self.episode.observations[0]

    def goal(self, state: State) -> Goal:
        """What it was."""
        return self.episode.goals

    def step(self, state: State, action: Action, key: PRNGKeyArray) -> tuple[State, Step]:
        """What was answered."""
        ended, last = self.episode.ended[state], state + 1 == self.episode.lengths
        # Where time ends a return, that is noted; an episode that ends without a note was given up by the agent.
        late = last & ~ended & (self.time_limit == "bootstrap")
        return state + 1, Step(self.episode.observations[state + 1], self.episode.rewards[state], ended, late)

    def render(self, state: State) -> Any:
        """What was recorded is drawn by the environments themselves."""
        raise NotImplementedError


@final
class _Again(Drawer):
    """Has environments do once more what they did, and draw themselves meanwhile."""

    at_once = 1

    def __init__(self, family: HostFamily, protocol: Protocol, played: Played):
        self._family, self._played = family, played
        self._seeds = np.asarray(jax.vmap(lambda key: _seeds(key, protocol))(played.keys))

    def draw(self, trials: Sequence[int]) -> list[list[Drawn]]:
        """One trial after the other, each in an environment of its own."""
        return [list(self._of_trial(trial)) for trial in trials]

    def _of_trial(self, trial: int) -> Iterator[Drawn]:
        row = int(np.flatnonzero((self._family.problems.ids == self._played.ids[trial]).all(axis=1))[0])
        env = drawing_env(self._family.source.job, row)
        try:
            for place, goal in enumerate(self._played.shown):
                episode = jax.tree.map(lambda x: x[trial], self._played.episodes[place])
                yield self._episode(env, row, int(self._seeds[trial, place]), episode, goal)
        finally:
            close(env)

    def _episode(self, env: gymnasium.Env, row: int, seed: int, episode: Episodes, goal: bool) -> Drawn:
        """An episode; `goal` says whether it may be seen in the pictures."""
        job, pictures, spots = self._family.source.job, [], []
        for time in range(1 + int(episode.lengths)):
            with own_code(f"the environment of problem {job.arguments[row]} raised"):
                if time == 0:
                    seen, reward = job.reset(env, row, seed)[0], None
                else:
                    seen, reward, _, _ = job.step(env, episode.actions[time - 1])
            same = reward is None or np.float32(reward) == episode.rewards[time - 1]
            if not same or not np.array_equal(seen, episode.observations[time]):
                raise ScoutError(
                    f"problem {job.arguments[row]} cannot be filmed: with the same seed and actions another episode "
                    "took place. Let the environment draw all that is random from self.np_random."
                )
            pictures.append(picture_of(env, goal))
            if pictures[-1].shape != pictures[0].shape:
                raise ScoutError(f"the pictures that problem {job.arguments[row]} draws are not all of one size.")
            spots.append(spot_in(env.unwrapped))
        return Drawn(np.stack(pictures), np.stack(spots))


def _seeds(key: PRNGKeyArray, protocol: Protocol) -> Array:
    """The seeds of a trial's episodes [episodes], as they are drawn when it is played."""
    _, each = keys_of(key, protocol)
    return jnp.stack([jax.random.bits(jax.random.split(one, 3)[0]) for one in each])
