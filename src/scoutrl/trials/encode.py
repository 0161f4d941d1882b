"""Episodes as networks see them. Of pictures, which are what costs, only those of lived steps are encoded."""

import dataclasses
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from scoutrl.nn.encoders import Encoder, Image
from scoutrl.trials.active import a_few, compact
from scoutrl.trials.trial import Episodes

AT_ONCE = 32
"""Pictures that a processor encodes at a time."""


def seen(encoder: Encoder, episodes: Episodes) -> Episodes:
    """The same episodes with features in place of observations, [..., time + 1, size]."""
    observations, mask = episodes.observations, episodes.mask
    if isinstance(encoder, Image):
        shown = jnp.concatenate([jnp.ones_like(mask[..., :1]), mask], axis=-1)
        flat = observations.reshape(-1, *observations.shape[mask.ndim :])
        features = features_of(encoder, flat, shown.reshape(-1)).reshape(*shown.shape, encoder.size)
    else:
        features = encoder(observations)
    return dataclasses.replace(episodes, observations=features)


def features_of(encoder: Image, pictures: Array, wanted: Bool[Array, " pictures"]) -> Float[Array, "pictures size"]:
    """Features of the pictures that are wanted, zeros for the others.

    A few at a time, for as long as there are any left, forward and backward: what is computed stays in the cache, and
    backward it is computed again rather than fetched.
    """
    weights, rest = eqx.partition(encoder, eqx.is_inexact_array)
    places, parts = compact(wanted, a_few(len(pictures), AT_ONCE))
    return _features(rest, weights, pictures, places, parts)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _features(
    rest: Encoder, weights: Encoder, pictures: Array, places: Int[Array, "parts some"], parts: Int[Array, ""]
) -> Float[Array, "pictures size"]:
    def part(i: Array, features: Array) -> Array:
        some = eqx.combine(weights, rest)(pictures.at[places[i]].get(mode="clip"))
        return features.at[places[i]].set(some, mode="drop")

    return jax.lax.fori_loop(0, parts, part, jnp.zeros((len(pictures), rest.size)))


def _forward(rest: Encoder, weights: Encoder, pictures: Array, places: Array, parts: Array) -> tuple[Array, tuple]:
    return _features(rest, weights, pictures, places, parts), (weights, pictures, places, parts)


def _backward(rest: Encoder, saved: tuple, gradient: Float[Array, "pictures size"]) -> tuple[Any, ...]:
    weights, pictures, places, parts = saved

    def part(i: Array, total: Encoder) -> Encoder:
        some = pictures.at[places[i]].get(mode="clip")
        _, pull = jax.vjp(lambda weights: eqx.combine(weights, rest)(some), weights)
        (change,) = pull(gradient.at[places[i]].get(mode="fill", fill_value=0))
        return jax.tree.map(jnp.add, total, change)

    total = jax.lax.fori_loop(0, parts, part, jax.tree.map(jnp.zeros_like, weights))
    return total, *(np.zeros(x.shape, jax.dtypes.float0) for x in (pictures, places, parts))


_features.defvjp(_forward, _backward)
