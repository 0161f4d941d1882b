"""Drawing the weights of fresh networks, on the host by NumPy: nothing has to be compiled for it."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl._platform import require_memory

Rng = np.random.Generator
"""What constructors of networks draw their weights from, one after the other."""


def generator(key: PRNGKeyArray) -> Rng:
    """A NumPy generator seeded by a JAX key.

    Raises:
        TypeError: the key is not a number yet, within `jit`, `vmap` or `scan`: networks are drawn outside of those.
    """
    if isinstance(key, Tracer):
        raise TypeError("networks are drawn on the host: call init outside of jit, vmap and scan")
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def jax_key(rng: Rng) -> PRNGKeyArray:
    """A JAX key drawn from `rng`, for networks of other libraries, such as `equinox.nn.Linear(…, key=jax_key(rng))`."""
    return jax.random.key(int(rng.integers(2**32)))


def normal(rng: Rng, shape: Sequence[int], deviation: float) -> Float[Array, "..."]:
    """Independent normal numbers of mean 0.

    Raises:
        ScoutError: there is no memory for so many.
    """
    what = f"a layer of {' x '.join(f'{n:,}' for n in shape)} weights"
    require_memory(4 * math.prod(shape), what, "lower the widths, or the sizes of the family's spaces")
    return jnp.asarray(rng.standard_normal(shape, np.float32) * np.float32(deviation))


def zeros(*shape: int) -> Float[Array, "..."]:
    """Zeros, made without compiling anything."""
    return jnp.asarray(np.zeros(shape, np.float32))
