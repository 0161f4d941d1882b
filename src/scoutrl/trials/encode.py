"""Episodes with features in place of observations. Of images, which are costly, only those seen are encoded."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl.envs.base import Action, Goal
from scoutrl.nn.encoders import Encoder, Image
from scoutrl.trials.active import block_size, compact
from scoutrl.trials.trial import Episodes

AT_ONCE = 32
"""Images that a CPU encodes at a time."""


class EncodedEpisodes(eqx.Module):
    """As `Episodes`, with features in place of observations."""

    features: Float[Array, "*batch episode time+1 features"]
    """Of the observation before each step, and of the last one; zeros for images that nobody saw."""
    actions: Action
    """[..., episode, time, *action]."""
    rewards: Float[Array, "*batch episode time"]
    """0 where `mask` is False."""
    ended: Bool[Array, "*batch episode time"]
    """The return ends with this step."""
    mask: Bool[Array, "*batch episode time"]
    """The step took place."""
    goals: Goal
    """[..., episode, *goal], or None."""
    kept: Any
    """[..., episode, time, …]: what the agent kept of each decision."""


def encode_observations(encoder: Encoder, episodes: Episodes) -> EncodedEpisodes:
    """Encode the observations [..., episode, time + 1, *observation] of episodes."""
    observations, mask = episodes.observations, episodes.mask
    if isinstance(encoder, Image):
        seen = episodes.seen
        flat = observations.reshape(-1, *observations.shape[mask.ndim :])
        features = features_of(encoder, flat, seen.reshape(-1)).reshape(*seen.shape, encoder.size)
    else:
        features = encoder(observations)
    rest = (episodes.actions, episodes.rewards, episodes.ended, mask, episodes.goals, episodes.kept)
    return EncodedEpisodes(features, *rest)


def features_of(encoder: Image, images: Array, wanted: Bool[Array, " images"]) -> Float[Array, "images size"]:
    """Features of the images that are wanted, zeros for the others.

    They are computed block by block, forward and backward, so that intermediate results stay in the cache; the backward
    pass computes them again rather than fetch them.
    """
    weights, rest = eqx.partition(encoder, eqx.is_inexact_array)
    places, parts = compact(wanted, block_size(len(images), AT_ONCE))
    return _features(rest, weights, images, places, parts)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _features(
    rest: Encoder, weights: Encoder, images: Array, places: Int[Array, "parts some"], parts: Int[Array, ""]
) -> Float[Array, "images size"]:
    def part(i: Array, features: Array) -> Array:
        some = eqx.combine(weights, rest)(images.at[places[i]].get(mode="clip"))
        return features.at[places[i]].set(some, mode="drop")

    return jax.lax.fori_loop(0, parts, part, jnp.zeros((len(images), rest.size)))


def _forward(rest: Encoder, weights: Encoder, images: Array, places: Array, parts: Array) -> tuple[Array, tuple]:
    return _features(rest, weights, images, places, parts), (weights, images, places, parts)


def _backward(rest: Encoder, saved: tuple, gradient: Float[Array, "images size"]) -> tuple[Any, ...]:
    weights, images, places, parts = saved

    def part(i: Array, total: Encoder) -> Encoder:
        some = images.at[places[i]].get(mode="clip")
        _, pull = jax.vjp(lambda weights: eqx.combine(weights, rest)(some), weights)
        (change,) = pull(gradient.at[places[i]].get(mode="fill", fill_value=0))
        return jax.tree.map(jnp.add, total, change)

    total = jax.lax.fori_loop(0, parts, part, jax.tree.map(jnp.zeros_like, weights))
    return total, *(np.zeros(x.shape, jax.dtypes.float0) for x in (images, places, parts))


_features.defvjp(_forward, _backward)
