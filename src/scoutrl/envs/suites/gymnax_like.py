"""`from_gymnax`: environments with `reset_env` and `step_env`, whose problems are rows of their parameters."""

from typing import Any, Unpack, final

import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs.base import Step
from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.suites.base import Suite, Values, called, refuse_wrappers, replaced, steps_of, with_values
from scoutrl.envs.suites.family import SuiteFamily
from scoutrl.envs.suites.make import Options, made
from scoutrl.envs.suites.problems import Fields
from scoutrl.errors import ScoutError

_CLOCKS = ("max_steps_in_episode", "max_timesteps")
"""What such environments call the parameter that ends episodes by time."""


@final
class GymnaxLike(Suite):
    """`reset_env(key, params)` and `step_env(key, state, action, params)`, which do not reset by themselves."""

    def __init__(self, env: Any, params: Any):
        self._env, self._params = env, params
        self._clock = next((name for name in _CLOCKS if hasattr(params, name)), None)

    def reset(self, values: Values, key: PRNGKeyArray) -> tuple[Any, Any]:
        """Start an episode with the parameters of a problem."""
        seen, state = self._env.reset_env(key, with_values(self._params, values))
        return state, seen

    def step(self, values: Values, state: Any, action: Any, key: PRNGKeyArray) -> tuple[Any, Step]:
        """Step with the parameters of a problem; five things are answered, or six with both ends apart."""
        params = with_values(self._params, values)
        seen, state, reward, *ends, _ = self._env.step_env(key, state, action, params)
        terminated, truncated = ends if len(ends) == 2 else self._ends(state, params, jnp.asarray(ends[0], bool))
        return state, Step(seen, reward, terminated, truncated)

    def spaces(self) -> tuple[Any, Any]:
        """Those with the parameters that the family was made from."""
        env, params = self._env, self._params
        return tuple(called(getattr(env, name, None), params) for name in ("observation_space", "action_space"))  # pyright: ignore[reportReturnType]

    def _ends(self, state: Any, params: Any, done: Any) -> tuple[Any, Any]:
        """Terminated and truncated. gymnax 1 says `done` of the problem's own ends; before, of time as well."""
        if self._clock is None:
            return done, jnp.bool_(False)
        if hasattr(self._env, "is_truncated"):
            return done, self._env.is_truncated(state, params)
        if not hasattr(self._env, "is_terminal"):
            return done, jnp.bool_(False)
        # With a clock that never strikes, what is still an end is the problem's own.
        endless = replaced(params, self._clock, np.iinfo(np.int32).max)
        terminated = done & self._env.is_terminal(state, endless)
        return terminated, done & ~terminated


def from_gymnax(
    env: Any, params: Any, problems: ProblemSet | Fields, horizon: int | None = None, **options: Unpack[Options]
) -> SuiteFamily:
    """A family of an environment with gymnax's interface, such as gymnax, craftax and popgym-arcade have.

    Args:
        env: one environment, with `reset_env` and `step_env`; it is not reset by itself.
        params: its parameters, a dataclass; the fields that `problems` name are replaced.
        problems: a `ProblemSet` whose components are fields of `params`; or values by field, one row for each problem,
            of which a fifth is kept for the test; or a mapping of "train", "test" and perhaps "validation" to such.
        horizon: the most steps of an episode; None takes the environment's own limit.
        options: `rows`, `name`, `observe`, `observation_space`, `action_space`, `codes`, `render`, `spot`, `describe`,
            `time_limit`; see `scoutrl.envs.suites.make.Options`.

    Raises:
        ScoutError: something that is no such environment, or that no agent can see or do; says what to give.
    """
    if not (hasattr(env, "reset_env") and hasattr(env, "step_env")):
        raise ScoutError(f"{type(env).__name__} has no reset_env and step_env, as environments like gymnax's have.")
    refuse_wrappers(env)
    steps = horizon if horizon is not None else steps_of(params, names=_CLOCKS)
    title = getattr(env, "name", None)
    return made(
        GymnaxLike(env, params),
        params,
        title if isinstance(title, str) else type(env).__name__,
        problems,
        steps,
        **options,
    )
