"""The exploration episodes of a trial end to end, as one sequence of transitions."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from scoutrl.trials.trial import Episodes


class Tape(eqx.Module):
    """Transitions of all episodes of a trial in the order lived, [batch, time]; lived ones come first."""

    before: Array
    """Observation before each step."""
    actions: Array
    """Action of each step."""
    rewards: Float[Array, "batch time"]
    """Reward of each step."""
    after: Array
    """Observation after each step."""
    mask: Bool[Array, "batch time"]
    """The step was lived."""

    def last(self, x: Float[Array, "batch time+1 size"]) -> Float[Array, "batch size"]:
        """What `x`, given on every prefix, is on the whole of what was lived."""
        ends = jax.nn.one_hot(self.mask.sum(axis=1), x.shape[1])
        return (ends[..., None] * x).sum(axis=1)

    @property
    def prefixes(self) -> Bool[Array, "batch time+1"]:
        """Which prefixes were lived, the empty one included."""
        return jnp.concatenate([jnp.ones_like(self.mask[:, :1]), self.mask], axis=1)


def tape(episodes: Episodes) -> Tape:
    """Lay the episodes [batch, episode, time] end to end."""
    parts = Tape(
        episodes.observations[:, :, :-1],
        episodes.actions,
        episodes.rewards,
        episodes.observations[:, :, 1:],
        episodes.mask,
    )
    batch, count, time = episodes.mask.shape
    flat = jax.tree.map(lambda x: x.reshape(batch, count * time, *x.shape[3:]), parts)
    if count == 1:
        return flat
    order = jnp.argsort(~flat.mask, axis=1, stable=True)
    return jax.tree.map(lambda x: jax.vmap(lambda row, places: row[places])(x, order), flat)
