"""Advice on a family on the host, in sentences: random episodes of it are played as training will play them."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import cloudpickle
import numpy as np

from scoutrl.envs.host.family import HostFamily
from scoutrl.envs.host.look import own_code
from scoutrl.errors import ScoutError
from scoutrl.pool.job import Job
from scoutrl.pool.worker import close

_PROBLEMS, _EPISODES = 8, 4
"""Problems that are played, and episodes in each: with the same seeds and actions in all."""
_STEPS = 200
"""The most steps of an episode that are played."""


@dataclasses.dataclass(frozen=True)
class _Played:
    """An episode of random actions."""

    seen: bytes
    """All that was seen and earned."""
    steps: int
    earned: float
    end: str
    """"terminated", "truncated", or "horizon"."""


def advise(family: HostFamily) -> list[str]:
    """Play a family for a moment; what there is to say of it, beginning with what is wrong.

    Raises:
        ScoutError: an environment that cannot be made, stepped or read; says of which problem.
    """
    job, problems = family.source.job, family.problems
    rows = np.random.default_rng(0).permutation(len(problems.ids))[:_PROBLEMS].tolist()
    began = time.perf_counter()
    played = {row: _play(family, row) for row in rows}
    seconds, again = time.perf_counter() - began, _play(family, rows[0])
    episodes = [episode for some in played.values() for episode in some]
    warnings = [*_of_problems(played, family), *_of_chance(played[rows[0]], again), *_of_rewards(episodes)]
    return [
        *warnings,
        *_of_pickling(job),
        *_of_spaces(job),
        *_of_ends(episodes, family),
        *_of_speed(episodes, seconds, family),
    ]


def _play(family: HostFamily, row: int) -> list[_Played]:
    job = family.source.job
    with own_code(f"the environment of problem {job.arguments[row]} raised"):
        env = job.new(row)
        try:
            return [_episode(job, env, row, seed, min(family.horizon, _STEPS)) for seed in range(_EPISODES)]
        finally:
            close(env)


def _episode(job: Job, env: Any, row: int, seed: int, most: int) -> _Played:
    space, earned, end, steps = job.action.space, 0.0, "horizon", 0
    space.seed(seed)
    seen, goal = job.reset(env, row, seed)
    log = [seen.tobytes(), b"" if goal is None else goal.tobytes()]
    for steps in range(1, most + 1):
        seen, reward, terminated, truncated = job.step(env, np.asarray(space.sample()))
        if not np.isfinite(reward):
            raise ScoutError(
                f"the environment of problem {job.arguments[row]} gave the reward {reward} in step {steps}."
            )
        log += [seen.tobytes(), repr((reward, terminated, truncated)).encode()]
        earned += reward
        if terminated or truncated:
            end = "terminated" if terminated else "truncated"
            break
    return _Played(b"".join(log), steps, earned, end)


def _of_problems(played: dict[int, list[_Played]], family: HostFamily) -> Iterator[str]:
    kinds = {tuple(episode.seen for episode in some) for some in played.values()}
    if len(family.problems.ids) == 1:
        yield "There is a single problem: nothing has to be found out."
    elif len(kinds) == 1:
        yield (
            f"{len(played)} problems behaved alike in {_EPISODES} random episodes of each: see that make uses the "
            "problem that it is given, or hand it to reset with problem_to='reset'."
        )


def _of_chance(once: Sequence[_Played], again: Sequence[_Played]) -> Iterator[str]:
    if [one.seen for one in once] != [one.seen for one in again]:
        yield (
            "The same seed and actions gave another episode: runs will not repeat. Draw all that is random from "
            "self.np_random, which reset(seed=…) seeds, and set everything back in reset."
        )


def _of_rewards(episodes: Sequence[_Played]) -> Iterator[str]:
    if len({episode.earned for episode in episodes}) == 1:
        yield (
            f"{len(episodes)} random episodes earned {episodes[0].earned:g} each: if random actions never meet a "
            "reward, exploiting is hard to learn. Shorten the way, or pay for steps on it."
        )


def _of_pickling(job: Job) -> Iterator[str]:
    try:
        cloudpickle.dumps(job)
    except Exception as error:  # whatever objects of the user's say when they are pickled
        yield f"make cannot be handed to worker processes ({type(error).__name__}): let it make all it needs itself."


def _of_spaces(job: Job) -> Iterator[str]:
    seen, act = (" ".join(str(space).split()) for space in job.spaces)
    read, done = (" ".join(str(space).split()) for space in (job.observation.space, job.action.space))
    goal = "" if job.goal is None else f" Goals are {job.goal.key!r} of the {job.goal.where}: {job.goal.reader.space}."
    yield f"Observations {seen:.120} are read as {read:.120}; actions {act:.80} are chosen from {done:.80}.{goal}"


def _of_ends(episodes: Sequence[_Played], family: HostFamily) -> Iterator[str]:
    count = len(episodes)
    shares = {end: sum(episode.end == end for episode in episodes) / count for end in ("terminated", "truncated")}
    steps = sum(episode.steps for episode in episodes) / count
    yield (
        f"Random episodes last {steps:.1f} of at most {family.horizon} steps; {shares['terminated']:.0%} are "
        f"terminated, {shares['truncated']:.0%} truncated by the environment, the others by the horizon."
    )
    if shares["truncated"] and family.time_limit == "ends":
        yield "Time that is up ends the return: if that is an artefact of the simulation, say time_limit='bootstrap'."


def _of_speed(episodes: Sequence[_Played], seconds: float, family: HostFamily) -> Iterator[str]:
    rate = sum(episode.steps for episode in episodes) / seconds
    workers = family.source.workers
    yield (
        f"One process makes environments and takes {rate:,.0f} steps a second with them; {workers} of them take a "
        f"million steps in {1e6 / rate / workers / 60:,.1f} minutes, without what the agent computes."
    )
