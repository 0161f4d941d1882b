"""What a sampler is: it rolls agents through trials; who trains or evaluates does not know how."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

from jaxtyping import Array, PRNGKeyArray

from scoutrl.envs import Spec
from scoutrl.envs.problems import Problem
from scoutrl.lowering import Lowered
from scoutrl.trials.agent import Agent
from scoutrl.trials.trial import Protocol, Trial

MakeAgent = Callable[[Problem, PRNGKeyArray], Agent]
"""From a problem ID and a key to the agent of one trial, in pure JAX; at test time it is the same for all problems.

What it depends on is in it as leaves, like those of `eqx.Partial`, so that a sampler can compile it once for all.
"""


class Sampler(abc.ABC):
    """Rolls agents through trials."""

    traced: ClassVar[bool]
    """Whether `sample` is a part of one program, so that a number in it may say who plays."""

    @property
    @abc.abstractmethod
    def spec(self) -> Spec:
        """The family that is played."""

    @abc.abstractmethod
    def sample(self, make_agent: MakeAgent, problems: Array, keys: PRNGKeyArray, protocol: Protocol) -> Trial:
        """One trial in each of `problems` [trials, k], with a key [trials] each; fields have the leading axis [trials].

        To be called in functions that `lower` of the same sampler was given.
        """

    @abc.abstractmethod
    def call(self, function: Callable, *arguments: Any) -> Any:
        """`function` of `arguments`, which samples nothing, in the midst of functions that do.

        Where those are not compiled, this one is: once, for it is the same at every call (as methods of modules are).
        """

    @abc.abstractmethod
    def lower(self, function: Callable, *arguments: Any) -> Lowered:
        """Trace a function of arrays that samples, for it to be compiled.

        Args:
            function: pure but for `sample` of this sampler.
            arguments: shapes and types of what it will be called with, as `jax.eval_shape` gives them.
        """

    def compile(self, function: Callable, *arguments: Any) -> Callable:
        """The same, made ready to be called."""
        return self.lower(function, *arguments).compile()

    def report(self) -> dict[str, float]:
        """What is to be noted beside the metrics of a chunk; counted since last asked."""
        return {}

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back what sampling has taken, such as processes; it may go on all the same."""
