"""Computing for unfinished episodes only: under vmap a finished one would cost as much as any other."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool, Int

AT_ONCE = 8
"""Episodes that a CPU computes at a time."""


def skip_finished(function: Callable[[Any, Any], Any], active: Bool[Array, ""], shared: Any, own: Any) -> Any:
    """`function(shared, own)` where `active`; elsewhere, anything of that shape.

    Without vmap it is just that. Under vmap on a CPU the active rows are gathered and computed a few at a time, until
    none is left. The function must not close over traced arrays: they belong into `shared`.
    """

    @custom_vmap
    def one(active: Array, shared: Any, own: Any) -> Any:
        del active
        return function(shared, own)

    @one.def_vmap
    def many(count: int, batched: list[Any], active: Array, shared: Any, own: Any) -> tuple[Any, Any]:
        given = (shared, own)
        each = jax.vmap(function, jax.tree.map(lambda has: 0 if has else None, tuple(batched[1:])))
        some = block_size(count, AT_ONCE)
        if not batched[0] or some == count:
            done = each(*given)
        else:
            done = _for_some(each, active, given, tuple(batched[1:]), some)
        return done, jax.tree.map(lambda _: True, done)

    return one(active, shared, own)


def _for_some(each: Callable, active: Bool[Array, " n"], given: Any, batched: Any, at_once: int) -> Any:
    """`each` of the active rows of `given`, and zeros for the others."""
    places, parts = compact(active, at_once)

    def part(i: Array, done: Any) -> Any:
        some = jax.tree.map(lambda x, has: x.at[places[i]].get(mode="clip") if has else x, given, batched)
        return jax.tree.map(lambda all_, new: all_.at[places[i]].set(new, mode="drop"), done, each(*some))

    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(each, *given))
    return jax.lax.fori_loop(0, parts, part, nothing)


def block_size(of: int, most: int) -> int:
    """How many of `of` to compute at a time: on a CPU `most`, which stay in its cache; an accelerator takes all."""
    return min(most, of) if jax.default_backend() == "cpu" else of


def compact(wanted: Bool[Array, " n"], at_once: int) -> tuple[Int[Array, "parts at_once"], Int[Array, ""]]:
    """The indices of what is wanted, in order, in blocks of `at_once`; and how many blocks hold any.

    An index of n stands for nothing: read with mode="clip", write with mode="drop". Under vmap the number of blocks is
    that of the row with the most of them, so that a loop over blocks stays one loop, which copies none of its arrays.
    """
    count, order = len(wanted), jnp.argsort(~wanted, stable=True)
    total = wanted.sum()
    places = jnp.where(jnp.arange(count) < total, order, count)
    places = jnp.pad(places, (0, -count % at_once), constant_values=count).reshape(-1, at_once)
    return places, _most(-(-total // at_once))


@custom_vmap
def _most(number: Int[Array, ""]) -> Int[Array, ""]:
    return number


@_most.def_vmap
def _(count: int, batched: list[bool], number: Int[Array, " n"]) -> tuple[Int[Array, ""], bool]:
    del count
    return number.max() if batched[0] else number, False
