"""Work for the episodes that still go on: under vmap one that is over would cost as much as any other."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool, Int

AT_ONCE = 8
"""Episodes that a processor works for at a time."""


def skip_finished(function: Callable[[Any, Any], Any], alive: Bool[Array, ""], shared: Any, own: Any) -> Any:
    """`function(shared, own)` where `alive`; where not, anything of that shape.

    Alone it is just that. Under vmap on a CPU those alive are gathered and worked for a few at a time, for as long as
    there are any left. The function must not close over traced arrays: they belong into `shared`.
    """

    @custom_vmap
    def one(alive: Array, shared: Any, own: Any) -> Any:
        del alive
        return function(shared, own)

    @one.def_vmap
    def many(count: int, batched: list[Any], alive: Array, shared: Any, own: Any) -> tuple[Any, Any]:
        given = (shared, own)
        each = jax.vmap(function, jax.tree.map(lambda has: 0 if has else None, tuple(batched[1:])))
        some = a_few(count, AT_ONCE)
        if not batched[0] or some == count:
            done = each(*given)
        else:
            done = _for_some(each, alive, given, tuple(batched[1:]), some)
        return done, jax.tree.map(lambda _: True, done)

    return one(alive, shared, own)


def _for_some(each: Callable, alive: Bool[Array, " n"], given: Any, batched: Any, at_once: int) -> Any:
    """What `each` makes of the rows of `given` that are alive, and zeros for the others."""
    places, parts = compact(alive, at_once)

    def part(i: Array, done: Any) -> Any:
        some = jax.tree.map(lambda x, has: x.at[places[i]].get(mode="clip") if has else x, given, batched)
        return jax.tree.map(lambda all_, new: all_.at[places[i]].set(new, mode="drop"), done, each(*some))

    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(each, *given))
    return jax.lax.fori_loop(0, parts, part, nothing)


def a_few(of: int, most: int) -> int:
    """How many to work on at a time: on a processor `most`, which stay in its cache; an accelerator takes all."""
    return min(most, of) if jax.default_backend() == "cpu" else of


def compact(wanted: Bool[Array, " n"], at_once: int) -> tuple[Int[Array, "parts at_once"], Int[Array, ""]]:
    """The places of what is wanted, first to last, `at_once` in a row; and how many rows hold any.

    A place of n stands for nothing: read with mode="clip", write with mode="drop".
    """
    count, order = len(wanted), jnp.argsort(~wanted, stable=True)
    living = wanted.sum()
    places = jnp.where(jnp.arange(count) < living, order, count)
    places = jnp.pad(places, (0, -count % at_once), constant_values=count).reshape(-1, at_once)
    return places, -(-living // at_once)
