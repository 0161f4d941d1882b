"""Pytrees of arrays and other leaves, such as activation functions, which JAX's own transformations refuse."""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax

Carry = TypeVar("Carry")


def scan(
    body: Callable[[Carry, Any], tuple[Carry, Any]], carry: Carry, xs: Any = None, length: int | None = None
) -> tuple[Carry, Any]:
    """As `jax.lax.scan`, whose carry may also have leaves that are no arrays; those stay as they are."""
    arrays, rest = eqx.partition(carry, eqx.is_array)

    def step(arrays: Any, x: Any) -> tuple[Any, Any]:
        after, y = body(eqx.combine(arrays, rest), x)
        return eqx.filter(after, eqx.is_array), y

    arrays, ys = jax.lax.scan(step, arrays, xs, length)
    return eqx.combine(arrays, rest), ys
