"""Actions as choices among numbers: those that are numbered, and those of a Box, of which each number has some bins."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from scoutrl.errors import ScoutError

NEVER = -1e9
"""Stands for the utility of a choice that a component does not have."""


class Choices(eqx.Module):
    """Some components, each a choice among some numbers: component i is one of 0 … sizes[i]-1."""

    sizes: eqx.AbstractVar[tuple[int, ...]]
    """How many choices each component has."""

    @property
    def most(self) -> int:
        """Choices of the largest component: arrays [components, most] have room for all."""
        return max(self.sizes)

    @property
    def valid(self) -> Bool[np.ndarray, "components most"]:
        """Which entries of such an array are choices."""
        return np.arange(self.most) < np.array(self.sizes)[:, None]

    @abc.abstractmethod
    def split(self, action: Array) -> Int[Array, "*batch components"]:
        """The choices that actions are made of."""

    @abc.abstractmethod
    def join(self, choices: Int[Array, "*batch components"]) -> Array:
        """Actions as the space has them."""


class Components(Choices):
    """The choices of a Discrete or MultiDiscrete space."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    """() for Discrete, (components,) for MultiDiscrete."""

    @staticmethod
    def of(space: Discrete | MultiDiscrete) -> "Components":
        """Those of a space that counts from 0."""
        numbers = np.ravel(space.n if isinstance(space, Discrete) else space.nvec)
        return Components(tuple(int(n) for n in numbers), tuple(space.shape or ()))

    def split(self, action: Int[Array, "..."]) -> Int[Array, "*batch components"]:
        """Actions with an axis of components, also where the space has none."""
        return action if self.shape else action[..., None]

    def join(self, choices: Int[Array, "*batch components"]) -> Int[Array, "..."]:
        """Actions without that axis where the space has none."""
        return choices if self.shape else choices[..., 0]


class Bins(Choices):
    """The choices of a Box of vectors: as many numbers for each coordinate, evenly spaced, the bounds among them."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    low: tuple[float, ...] = eqx.field(static=True)
    """Lower bounds."""
    high: tuple[float, ...] = eqx.field(static=True)
    """Upper bounds."""

    @staticmethod
    def of(space: Box, bins: int) -> "Bins":
        """Those of a bounded space."""
        low, high = (tuple(np.ravel(bound).tolist()) for bound in (space.low, space.high))
        return Bins((bins,) * len(low), low, high)

    def split(self, action: Float[Array, "*batch components"]) -> Int[Array, "*batch components"]:
        """The choice nearest to each coordinate."""
        place = from_box(action, self.low, self.high)
        return jnp.round(place * (self.most - 1)).astype(jnp.int32)

    def join(self, choices: Int[Array, "*batch components"]) -> Float[Array, "*batch components"]:
        """The numbers chosen."""
        return in_box(choices / (self.most - 1), self.low, self.high)


def in_box(
    place: Float[Array, "*batch n"], low: tuple[float, ...], high: tuple[float, ...]
) -> Float[Array, "*batch n"]:
    """The point of a box where 0 … 1 is the way from its lower to its upper bound."""
    first, last = (jnp.broadcast_to(jnp.array(bound), place.shape) for bound in (low, high))
    return jnp.clip(first + place * (last - first), first, last)


def from_box(
    point: Float[Array, "*batch n"], low: tuple[float, ...], high: tuple[float, ...]
) -> Float[Array, "*batch n"]:
    """How far, 0 … 1, a point of a box lies on the way from its lower to its upper bound; 0 where the two are one."""
    first, last = (jnp.broadcast_to(jnp.array(bound), point.shape) for bound in (low, high))
    return jnp.clip((point - first) / jnp.where(last > first, last - first, 1), 0, 1)


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


def require_actions(learner: str, space: Space, *kinds: type[Space]) -> None:
    """Refuse actions that a learner does not learn.

    Args:
        learner: its name, as after `--set learner=`.
        space: of the family's actions.
        kinds: what it learns, of Discrete, MultiDiscrete and Box (of vectors with finite bounds).

    Raises:
        ScoutError: the space is none of these.
    """
    if not isinstance(space, kinds):
        names = [kind.__name__ for kind in kinds]
        learnt = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        numbered = isinstance(space, Discrete | MultiDiscrete)
        advice = ": choose learner=q or learner=ppo" if numbered and learner not in ("q", "ppo") else ""
        raise ScoutError(
            f"learner={learner} learns {learnt} actions, and those of the family are a {type(space).__name__}{advice}"
        )
    if isinstance(space, Box) and not (len(space.shape) == 1 and space.is_bounded() and space.dtype == np.float32):
        raise ScoutError(
            f"learner={learner} learns actions in a Box of vectors of float32 with finite bounds; that of the family "
            f"has shape {space.shape} and type {space.dtype}{'' if space.is_bounded() else ', and lacks bounds'}"
        )
