"""`from_gymnasium`: a family from a function that makes environments, and from the problems it makes them for."""

from collections.abc import Callable
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.spaces import Dict, Space

from scoutrl.envs.base import Spaces
from scoutrl.envs.host.family import HostFamily, Source
from scoutrl.envs.host.look import look, own_code, without_goal
from scoutrl.envs.host.problems import Arguments, Problems, read_problems
from scoutrl.errors import ScoutError
from scoutrl.pool.job import INFO, OBSERVATION, Goals, Job
from scoutrl.pool.spaces import actions_for, reader_for
from scoutrl.pool.worker import close

DESIRED = "desired_goal"
"""The key under which environments made for goals say them in their observation."""


def from_gymnasium(
    make: Callable[..., gymnasium.Env],
    problems: Problems,
    horizon: int | None = None,
    *,
    name: str | None = None,
    goal: str | None = None,
    goal_space: Space | None = None,
    codes: int | None = None,
    problem_to: Literal["make", "reset"] = "make",
    time_limit: Literal["ends", "bootstrap"] = "ends",
    workers: int | None = None,
    patience: float = 60.0,
) -> HostFamily:
    """A family of Gymnasium environments, for every algorithm.

    Args:
        make: from a problem to its environment: the problem is a mapping, of the names of a `ProblemSet` to its
            numbers, or one of the keyword arguments of a list. It is called in other processes, too.
        problems: a `ProblemSet`; a list of keyword arguments, of which a fifth is kept for the test; or a mapping of
            "train", "test" and perhaps "validation" to such lists.
        horizon: the most steps of an episode; None takes what the environment was registered with.
        name: what to call it; None takes that of the environment.
        goal: key under which an observation (a Dict) says the goal of the episode, which then is no part of the
            observation; or, with `goal_space`, the `info` of reset. None: `desired_goal`, if there is one.
        goal_space: space of a goal in `info`.
        codes: how many codes the cells of a grid of uint8 take, if the space does not say.
        problem_to: "make" makes an environment for each problem; "reset" calls `make()` for environments of all
            problems, and hands the problem to their `reset(options=…)`.
        time_limit: what it means for learning that time is up: it "ends" the return, or learners "bootstrap".
        workers: processes that step environments; None is one for each core.
        patience: seconds that one environment may take to be made, reset or stepped; then it counts as hanging.

    Raises:
        ScoutError: an environment that cannot be made or read; says of which problem, and what to do.
    """
    if time_limit not in ("ends", "bootstrap"):
        raise ScoutError(f'time_limit must be "ends" or "bootstrap"; it is {time_limit!r}.')
    table, arguments = read_problems(problems)
    env = _first(make, () if problem_to == "reset" else (arguments[int(table.train[0])],))
    try:
        job = _job(make, arguments, problem_to == "reset", env, _goal(env.observation_space, goal, goal_space), codes)
        called = name or (env.spec.id if env.spec is not None else type(env.unwrapped).__name__)
        steps = checked_horizon(_registered(env) if horizon is None else horizon)
    finally:
        close(env)
    job, goals = look(job, table, codes)
    spaces = Spaces(job.observation.space, job.action.space, None if job.goal is None else job.goal.reader.space)
    source = Source(job, workers, float(patience))
    beside = {"goals": goals, "name": called, "source": source, "time_limit": time_limit}
    return HostFamily(problems=table, spaces=spaces, horizon=steps, **beside)


def _first(make: Callable, given: tuple) -> gymnasium.Env:
    _refuse_vector(make)
    with own_code(f"make{f', for problem {given[0]},' if given else ''} raised"):
        env = make(*given)
    _refuse_vector(env)
    if not isinstance(env, gymnasium.Env):
        raise ScoutError(f"make must return a gymnasium.Env; it returned a {type(env).__name__}.")
    return env


def _refuse_vector(given: Any) -> None:
    """Many environments in one cannot be told a problem each, nor wait one by one where their episodes are over."""
    if isinstance(given, gymnasium.vector.VectorEnv):
        raise ScoutError(
            f"a {type(given).__name__} is many environments in one; give a function that makes a single one of them: "
            "workers hold many each, in a problem of its own, and begin and end their episodes one by one."
        )


def _job(
    make: Callable, arguments: Arguments, by_reset: bool, env: gymnasium.Env, goal: Goals | None, codes: int | None
) -> Job:
    return Job(
        make=make,
        arguments=arguments,
        by_reset=by_reset,
        spaces=(env.observation_space, env.action_space),
        observation=reader_for(without_goal(env.observation_space, goal), "the observation", codes),
        action=actions_for(env.action_space),
        goal=goal,
    )


def checked_horizon(horizon: Any) -> int:
    """A horizon that a user gave.

    Raises:
        ScoutError: it is no whole number of at least 1.
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise ScoutError(f"the horizon must be a whole number of at least 1; it is {horizon!r}.")
    return int(horizon)


def _registered(env: gymnasium.Env) -> int:
    limit = None if env.spec is None else env.spec.max_episode_steps
    if limit is None:
        raise ScoutError("say how many steps an episode lasts: from_gymnasium(…, horizon=…), or --horizon.")
    return limit


def _goal(seen: Space, key: str | None, space: Space | None) -> Goals | None:
    """Where goals are, and how they are read."""
    if space is not None:
        if key is None:
            raise ScoutError("goal_space is the space of a goal in `info`: say its key with goal=….")
        found = Goals(key, INFO, reader_for(space, "the goal"))
    elif isinstance(seen, Dict) and (key or DESIRED) in seen.spaces:
        key = key or DESIRED
        found = Goals(key, OBSERVATION, reader_for(seen[key], "the goal"))
    elif key is not None:
        raise ScoutError(f"observations have no {key!r}; for a goal in `info`, give its space as goal_space=….")
    else:
        return None
    if len(found.reader.space.shape) > 1:
        raise ScoutError("a goal cannot be a picture: give numbers or codes.")
    return found
