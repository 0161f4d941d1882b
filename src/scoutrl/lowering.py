"""Functions made ready ahead of time, in JAX's own two stages: traced, which gives the shapes of results; compiled."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax


class Lowered(Protocol):
    """A function that was traced."""

    @property
    def out_info(self) -> Any:
        """Shapes and types of what it returns."""

    def compile(self) -> Callable:
        """The function, ready to be called."""
        ...


class Uncompiled(NamedTuple):
    """A function that is not compiled as a whole."""

    function: Callable
    out_info: Any

    def compile(self) -> Callable:
        """The function itself."""
        return self.function


def lower(function: Callable, *arguments: Any, donate: bool = False) -> Lowered:
    """Trace a function of arrays; where JAX is told not to compile, it stays as it is.

    Args:
        function: pure.
        arguments: shapes and types of what it will be called with, as `jax.eval_shape` gives them.
        donate: the first argument is used up by a call.
    """
    if jax.config.values["jax_disable_jit"]:
        return Uncompiled(function, jax.eval_shape(function, *arguments))
    return jax.jit(function, donate_argnums=0 if donate else ()).lower(*arguments)
