"""A first look at environments, when a family is made of them: that they can be read, which goals and codes occur."""

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Dict, Tuple

from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.raised import OWN, one_line
from scoutrl.errors import ScoutError
from scoutrl.pool.job import OBSERVATION, Goals, Job
from scoutrl.pool.spaces import is_open_grid, reader_for
from scoutrl.pool.worker import close

_PROBLEMS, _EPISODES, _STEPS = 16, 4, 20
"""Training problems that are looked at for goals and codes, episodes in each, and random steps in an episode."""
_CODES = 16
"""The least number of codes in the cells of a grid whose space says nothing."""


@contextlib.contextmanager
def own_code(what: str) -> Iterator[None]:
    """While code of the user's runs: what it prints goes to stderr, what it raises becomes one line after `what`.

    Raises:
        ScoutError: it raised something.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ScoutError:
        raise
    except OWN as error:
        raise ScoutError(f"{what} {one_line(error)}.") from error


def look(job: Job, problems: ProblemSet, codes: int | None) -> tuple[Job, np.ndarray | None]:
    """Play a few random steps: the job, with the codes of a grid whose space does not say them, and goals to draw from.

    Raises:
        ScoutError: what was made, or what it answers, cannot be read; says of which problem.
    """
    unknown = codes is None and has_open_grid(job.spaces[0])
    count, episodes = (_PROBLEMS, _EPISODES) if unknown or job.goal is not None else (1, 1)
    rows = np.random.default_rng(0).permutation(problems.train)[:count].tolist()
    seen = [one for row in rows for one in _episodes(job, row, episodes)]
    goals = [goal for goal, _ in seen]
    if unknown:
        codes = max(_CODES, 1 << max(largest for _, largest in seen).bit_length())
        reader = reader_for(without_goal(job.spaces[0], job.goal), "the observation", codes)
        job = dataclasses.replace(job, observation=reader)
    return job, None if job.goal is None else np.stack(goals)


def has_open_grid(space: gymnasium.Space) -> bool:
    """Whether there is a grid of uint8 in a space that does not say how many codes there are."""
    parts = space.values() if isinstance(space, Dict) else space if isinstance(space, Tuple) else ()
    return is_open_grid(space) or any(has_open_grid(part) for part in parts)


def without_goal(seen: gymnasium.Space, goals: Goals | None) -> gymnasium.Space:
    """The space of observations without the goal, if that is in them."""
    if goals is None or goals.where != OBSERVATION or not isinstance(seen, Dict):
        return seen
    return Dict({key: space for key, space in seen.items() if key != goals.key})


def _episodes(job: Job, row: int, count: int) -> list[tuple[Any, int]]:
    """The goal of each of some episodes of a problem, and the largest code in a grid."""
    with own_code(f"the environment of problem {job.arguments[row]} raised"):
        env = job.new(row)
        try:
            return [_episode(job, env, row, count * row + i) for i in range(count)]
        finally:
            close(env)


def _episode(job: Job, env: gymnasium.Env, row: int, seed: int) -> tuple[Any, int]:
    """A short episode of random actions: its goal, and the largest code in a grid."""
    options = job.arguments[row] if job.by_reset else None
    seen, info = env.reset(seed=seed, options=options)
    goal, most = job.read_goal(seen, info), _largest(job.spaces[0], seen)
    job.read(seen)
    space = job.action.space
    space.seed(seed)
    for _ in range(_STEPS):
        seen, _, terminated, truncated = job.act(env, np.asarray(space.sample()))
        job.read(seen)
        most = max(most, _largest(job.spaces[0], seen))
        if terminated or truncated:
            break
    return goal, most


def _largest(space: gymnasium.Space, value: Any) -> int:
    if isinstance(space, Dict):
        return max((_largest(part, value[key]) for key, part in space.items()), default=0)
    if isinstance(space, Tuple):
        return max((_largest(part, one) for part, one in zip(space, value, strict=True)), default=0)
    return int(np.max(value)) if is_open_grid(space) else 0
