"""Where trials come from: a sampler rolls agents through trials; who trains or evaluates does not know how."""

import abc
import functools
from collections.abc import Callable
from typing import Any, TypeVar, final

import jax
from jaxtyping import Array, PRNGKeyArray

from scoutrl.envs import MetaEnv, Spec
from scoutrl.envs.problems import Problem
from scoutrl.errors import ScoutError
from scoutrl.trees import scan
from scoutrl.trials.agent import Agent
from scoutrl.trials.rollout import rollout
from scoutrl.trials.trial import Protocol, Trial

MakeAgent = Callable[[Problem, PRNGKeyArray], Agent]
"""From a problem ID and a key to the agent of one trial, in pure JAX; at test time it is the same for all problems.

What it depends on is in it as leaves, like those of `eqx.Partial`, so that a sampler can compile it once for all.
"""
State = TypeVar("State")


class Sampler(abc.ABC):
    """Rolls agents through trials, and runs the loops in which that happens."""

    @property
    @abc.abstractmethod
    def spec(self) -> Spec:
        """The family that is played."""

    @abc.abstractmethod
    def sample(self, make_agent: MakeAgent, problems: Array, keys: PRNGKeyArray, protocol: Protocol) -> Trial:
        """One trial in each of `problems` [trials, k], with a key [trials] each; fields have the leading axis [trials].

        To be called in functions that `compile` or `repeat` of the same sampler runs.
        """

    @abc.abstractmethod
    def repeat(self, step: Callable[[State], tuple[State, Any]], state: State, count: int) -> tuple[State, Any]:
        """`step` `count` times, one after the other: the last state, and all other results with a leading axis."""

    @abc.abstractmethod
    def call(self, function: Callable, *arguments: Any) -> Any:
        """`function` of `arguments`, which samples nothing, in the midst of functions that do.

        Where those are not compiled, this one is: once, for it is the same at every call (as methods of modules are).
        """

    @abc.abstractmethod
    def compile(self, function: Callable, *arguments: Any, donate: bool = False) -> Callable:
        """Make a function of arrays that samples ready to be called.

        Args:
            function: pure but for `sample` and `repeat` of this sampler.
            arguments: shapes and types of what it will be called with, as `jax.eval_shape` gives them.
            donate: the first argument is used up by a call.
        """


@final
class DeviceSampler(Sampler):
    """Trials of a family in JAX: acting, stepping and learning are one program on the device."""

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

    def repeat(self, step: Callable[[State], tuple[State, Any]], state: State, count: int) -> tuple[State, Any]:
        """One scan."""
        return scan(lambda state, _: step(state), state, length=count)

    def call(self, function: Callable, *arguments: Any) -> Any:
        """A part of the program around it."""
        return function(*arguments)

    def compile(self, function: Callable, *arguments: Any, donate: bool = False) -> Callable:
        """One program, compiled ahead of time; the function itself where JAX is told not to compile."""
        if jax.config.values["jax_disable_jit"]:
            return function
        return jax.jit(function, donate_argnums=0 if donate else ()).lower(*arguments).compile()


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
