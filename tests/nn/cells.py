"""What tests of recurrent cells share."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

BATCH, TIME, SIZE, HIDDEN = 3, 5, 4, 6


def drawn(network, seed=0):
    """Weights and biases, all random: a zero bias would hide a wrong gradient."""
    leaves, structure = jax.tree.flatten(network)
    random = np.random.default_rng(seed)
    return jax.tree.unflatten(structure, [jnp.asarray(0.7 * random.normal(size=leaf.shape)) for leaf in leaves])


def numbers(*shape, seed=1):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


@eqx.filter_jit
def steps_and_scan(memory, x):
    """h_0 … h_T by `step`, and by `scan`."""
    length = jax.tree.leaves(x)[0].shape[1]
    steps = [jnp.broadcast_to(memory.initial(), (BATCH, HIDDEN))]
    for t in range(length):
        steps.append(memory.step(steps[-1], jax.tree.map(lambda a, t=t: a[:, t], x)))
    return jnp.stack(steps, axis=1), memory.scan(x)
