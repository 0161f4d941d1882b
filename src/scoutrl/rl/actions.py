"""Discrete and MultiDiscrete actions alike: some components, each a choice among some numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

NEVER = -1e9
"""Stands for the utility of a choice that a component does not have."""


class Components(eqx.Module):
    """The choices of a Discrete or MultiDiscrete space: component i is one of 0 … sizes[i]-1."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    """() for Discrete, (components,) for MultiDiscrete."""

    @staticmethod
    def of(space: Discrete | MultiDiscrete) -> "Components":
        """Those of a space that counts from 0."""
        numbers = np.ravel(space.n if isinstance(space, Discrete) else space.nvec)
        return Components(tuple(int(n) for n in numbers), tuple(space.shape or ()))

    @property
    def most(self) -> int:
        """Choices of the largest component: arrays [components, most] have room for all."""
        return max(self.sizes)

    @property
    def valid(self) -> Bool[np.ndarray, "components most"]:
        """Which entries of such an array are choices."""
        return np.arange(self.most) < np.array(self.sizes)[:, None]

    def split(self, action: Int[Array, "..."]) -> Int[Array, "*batch components"]:
        """Actions with an axis of components, also where the space has none."""
        return action if self.shape else action[..., None]

    def join(self, choices: Int[Array, "*batch components"]) -> Int[Array, "..."]:
        """Actions as the space has them."""
        return choices if self.shape else choices[..., 0]


def chosen(
    q: Float[Array, "*batch components most"], choices: Int[Array, "*batch components"]
) -> Float[Array, "*batch"]:
    """Mean over the components of the utility chosen, as a product with one-hots: its gradient is no scatter."""
    return (q * jax.nn.one_hot(choices, q.shape[-1])).sum(axis=-1).mean(axis=-1)


def random_action(space: Space, key: PRNGKeyArray) -> Array:
    """An action drawn uniformly from a Discrete, MultiDiscrete or bounded Box space."""
    if isinstance(space, Box):
        low, high = jnp.asarray(space.low), jnp.asarray(space.high)
        return jax.random.uniform(key, space.shape, minval=low, maxval=high)
    assert isinstance(space, Discrete | MultiDiscrete)
    components = Components.of(space)
    return components.join(jax.random.randint(key, (len(components.sizes),), 0, np.array(components.sizes)))
