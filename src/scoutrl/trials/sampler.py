"""Where trials come from: a sampler for each kind of family. Families in JAX are stepped on the device."""

import functools
from collections.abc import Callable
from typing import Any, final

import jax
from jaxtyping import Array, PRNGKeyArray

from scoutrl.envs import MetaEnv, Spec
from scoutrl.envs.host import HostFamily
from scoutrl.envs.problems import Problem
from scoutrl.errors import ScoutError
from scoutrl.lowering import Lowered, lower
from scoutrl.trials.base_sampler import MakeAgent as MakeAgent
from scoutrl.trials.base_sampler import Sampler as Sampler
from scoutrl.trials.host.sampler import HostSampler
from scoutrl.trials.rollout import rollout
from scoutrl.trials.trial import Protocol, Trial


@final
class DeviceSampler(Sampler):
    """Trials of a family in JAX: acting and stepping are one program on the device."""

    traced = True

    def __init__(self, env: MetaEnv):
        """Sample trials of `env`."""
        self._env = env

    @property
    def spec(self) -> MetaEnv:
        """The family."""
        return self._env

    def sample(self, make_agent: MakeAgent, problems: Array, keys: PRNGKeyArray, protocol: Protocol) -> Trial:
        """All trials at once, by vmap."""

        def one(problem: Problem, key: PRNGKeyArray) -> Trial:
            agent_key, trial_key = jax.random.split(key)
            return rollout(self._env, make_agent(problem, agent_key), problem, trial_key, protocol)

        return jax.vmap(one)(problems, keys)

    def call(self, function: Callable, *arguments: Any) -> Any:
        """A part of the program around it."""
        return function(*arguments)

    def lower(self, function: Callable, *arguments: Any) -> Lowered:
        """One program."""
        return lower(function, *arguments)


@functools.singledispatch
def sampler_for(spec: Spec) -> Sampler:
    """The sampler that can step a family; a new kind of family registers its own with `@sampler_for.register`.

    Raises:
        ScoutError: a family that nothing can step.
    """
    raise ScoutError(f"{type(spec).__name__} has no simulator: no sampler can step it.")


@sampler_for.register
def _(spec: MetaEnv) -> Sampler:
    return DeviceSampler(spec)


@sampler_for.register
def _(spec: HostFamily) -> Sampler:
    return HostSampler(spec)
