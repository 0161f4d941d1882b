"""`from_brax`: environments whose State says `done` and `info["truncation"]`, as brax's and playground's do."""

from typing import Any, Unpack, final

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs.base import Step
from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.suites.base import Suite, Values, refuse_wrappers, steps_of, with_values
from scoutrl.envs.suites.family import SuiteFamily
from scoutrl.envs.suites.make import Options, made
from scoutrl.envs.suites.problems import Fields
from scoutrl.errors import ScoutError


@final
class BraxLike(Suite):
    """`reset(rng)` and `step(state, action)` answer with a State: `obs`, `reward`, `done`, `info`."""

    def __init__(self, env: Any):
        self._env = env

    def reset(self, values: Values, key: PRNGKeyArray) -> tuple[Any, Any]:
        """Start an episode in the system of a problem."""
        state = with_values(self._env, values).reset(key)
        return state, state.obs

    def step(self, values: Values, state: Any, action: Any, key: PRNGKeyArray) -> tuple[Any, Step]:
        """Step; what is random in it is drawn by the key within the state."""
        # A copy: wrappers write into the dicts of the state that they are given.
        state = with_values(self._env, values).step(jax.tree.map(lambda leaf: leaf, state), action)
        done, out_of_time = (jnp.asarray(one) > 0 for one in (state.done, state.info.get("truncation", 0)))
        return state, Step(state.obs, state.reward, done & ~out_of_time, done & out_of_time)

    def spaces(self) -> tuple[Any, Any]:
        """Actions from -1 to 1; observations are what their arrays say."""
        size = getattr(self._env, "action_size", None)
        return None, None if size is None else gymnasium.spaces.Box(-1.0, 1.0, (int(size),), np.float32)


def from_brax(
    env: Any, problems: ProblemSet | Fields, horizon: int | None = None, **options: Unpack[Options]
) -> SuiteFamily:
    """A family of an environment with brax's interface, such as brax, playground and models in MJX of one's own have.

    Args:
        env: one environment that does not reset by itself: `brax.envs.get_environment(…)`, not `create(…)`.
        problems: a `ProblemSet` whose components are attributes of the environment or paths from there, such as
            "sys.opt.gravity"; or values by path, one row for each problem, of which a fifth is kept for the test; or a
            mapping of "train", "test" and perhaps "validation" to such.
        horizon: the most steps of an episode; None takes that of an EpisodeWrapper.
        options: as for `from_gymnax`.

    Raises:
        ScoutError: something that is no such environment, or that no agent can see or do; says what to give.
    """
    if not (callable(getattr(env, "reset", None)) and hasattr(env, "action_size")):
        raise ScoutError(f"{type(env).__name__} has no reset and action_size, as environments like brax's have.")
    refuse_wrappers(env)
    steps = horizon if horizon is not None else steps_of(env, names=("episode_length",))
    called = type(getattr(env, "unwrapped", env)).__name__
    return made(BraxLike(env), env, called, problems, steps, **options)
