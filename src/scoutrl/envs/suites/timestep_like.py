"""`from_timestep`: environments that answer with a TimeStep, as xminigrid, jumanji and navix do."""

import inspect
from typing import Any, Unpack, final

import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from scoutrl.envs.base import Step
from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.suites.base import Suite, Values, called, refuse_wrappers, steps_of, with_values
from scoutrl.envs.suites.family import SuiteFamily
from scoutrl.envs.suites.make import Options, made
from scoutrl.envs.suites.problems import Fields
from scoutrl.errors import ScoutError

_LAST = 2
"""The step type of the last step of an episode, in dm_env and all that follow it."""
_LIMITS = ("max_steps", "time_limit")
_SPACES = ("observation_spec", "observation_space"), ("action_spec", "action_space")


@final
class TimeStepLike(Suite):
    """`reset` and `step` answer with a TimeStep, or with a state and a TimeStep.

    With parameters they are `reset(params, key)` and `step(params, timestep, action)`, else `reset(key)` and
    `step(state or timestep, action)`.
    """

    def __init__(self, env: Any, params: Any):
        self._env, self._params = env, params

    def reset(self, values: Values, key: PRNGKeyArray) -> tuple[Any, Any]:
        """Start an episode."""
        env, given = self._of(values)
        state, timestep = _both(env.reset(*given, key))
        return state, timestep.observation

    def step(self, values: Values, state: Any, action: Any, key: PRNGKeyArray) -> tuple[Any, Step]:
        """Step; what is random in it is drawn by the key within the state."""
        env, given = self._of(values)
        state, timestep = _both(env.step(*given, state, action))
        return state, Step(timestep.observation, timestep.reward, *_ends(timestep))

    def spaces(self) -> tuple[Any, Any]:
        """The specs or spaces of the environment; xminigrid says no more than how many actions there are."""
        found = [next((getattr(self._env, one) for one in names if hasattr(self._env, one)), None) for names in _SPACES]
        seen, action = (self._called(one) for one in found)
        count = getattr(self._env, "num_actions", None)
        if action is None and count is not None:
            action = _Numbered(int(self._called(count)))
        return seen, action

    def _of(self, values: Values) -> tuple[Any, tuple]:
        """The environment of a problem, and what its methods are given first."""
        if self._params is None:
            return with_values(self._env, values), ()
        return self._env, (with_values(self._params, values),)

    def _called(self, found: Any) -> Any:
        takes = callable(found) and self._params is not None and inspect.signature(found).parameters
        return called(found, *((self._params,) if takes else ()))


class _Numbered:
    """A space of so many actions."""

    def __init__(self, n: int):
        self.n, self.shape, self.dtype = n, (), jnp.int32


def _both(answer: Any) -> tuple[Any, Any]:
    """State and TimeStep; where there is a TimeStep alone, the state is in it."""
    plain = isinstance(answer, tuple) and not hasattr(answer, "observation")
    return answer if plain else (answer, answer)  # pyright: ignore[reportReturnType]


def _ends(timestep: Any) -> tuple[Any, Any]:
    """Terminated and truncated: a last step with discount 0, or with another; navix's steps say it themselves."""
    if hasattr(timestep, "is_termination") and hasattr(timestep, "is_truncation"):
        return timestep.is_termination(), timestep.is_truncation()
    last = timestep.step_type == _LAST
    terminated = last & jnp.all(timestep.discount == 0)
    return terminated, last & ~terminated


def from_timestep(
    env: Any, params: Any, problems: ProblemSet | Fields, horizon: int | None = None, **options: Unpack[Options]
) -> SuiteFamily:
    """A family of an environment that answers with a TimeStep (`step_type`, `discount`), as xminigrid's do.

    Args:
        env: one environment that does not reset by itself.
        params: its parameters, whose fields are replaced; None where it has none (jumanji, navix), and the attributes
            of the environment are.
        problems: a `ProblemSet` whose components are fields; or values by field, one row for each problem, such as
            {"ruleset": rule sets} with a leading axis, of which a fifth is kept for the test; or a mapping of "train",
            "test" and perhaps "validation" to such.
        horizon: the most steps of an episode; None takes the environment's own limit.
        options: as for `from_gymnax`.

    Raises:
        ScoutError: something that is no such environment, or that no agent can see or do; says what to give.
    """
    if not (callable(getattr(env, "reset", None)) and callable(getattr(env, "step", None))):
        raise ScoutError(f"{type(env).__name__} has no reset and step, as environments with a TimeStep have.")
    refuse_wrappers(env)
    steps = horizon if horizon is not None else steps_of(params, env, names=_LIMITS)
    suite = TimeStepLike(env, params)
    return made(suite, env if params is None else params, type(env).__name__, problems, steps, **options)
