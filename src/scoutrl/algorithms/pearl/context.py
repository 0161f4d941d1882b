"""What a trial's episodes say of z, and what a policy that is given z makes of them; for PEARL and MetaCURE."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.pearl.networks import PearlNetworks
from scoutrl.nn.gaussian import Factor
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.learner import Features, PolicyLearner, Steps, Weights
from scoutrl.trials.encode import EncodedEpisodes


def factors(networks: PearlNetworks, episodes: EncodedEpisodes) -> Factor:
    """What each episode says of z, [batch, episode, z]."""
    actions = networks.encode.action(episodes.actions)
    before, after = episodes.features[..., :-1, :], episodes.features[..., 1:, :]
    return networks.inference(TransitionFeatures(before, actions, episodes.rewards, after)).product(episodes.mask)


def together(episodes: Factor) -> Factor:
    """What all episodes say together, [batch, z]."""
    return jax.tree.map(lambda x: x.sum(axis=1), episodes)


def contexts(explored: Factor, exploited: Factor) -> Factor:
    """The experiences that each episode's z is drawn from in learning, [batch, all episodes, z].

    An exploitation episode's are all before it. An exploration episode's are all of exploration, itself included: while
    learning, z tells the problem at hand, so that a draw from the prior is a problem that might be.
    """

    def of_each(before: Array, now: Array) -> Array:
        explored = jnp.broadcast_to(before.sum(axis=1, keepdims=True), before.shape)
        earlier = jnp.cumsum(now, axis=1) - now
        return jnp.concatenate([explored, explored[:, :1] + earlier], axis=1)

    return jax.tree.map(of_each, explored, exploited)


def joined(exploration: EncodedEpisodes, exploitation: EncodedEpisodes) -> EncodedEpisodes:
    """All episodes of each trial, without their goals."""
    parts = (dataclasses.replace(episodes, goals=None) for episodes in (exploration, exploitation))
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), *parts)


def task_loss(
    learner: PolicyLearner,
    networks: PearlNetworks,
    targets: PearlNetworks,
    episodes: EncodedEpisodes,
    goals: Float[Array, "batch episode goal"],
    z: Float[Array, "batch episode z"],
    key: PRNGKeyArray,
    weight: Weights = None,
) -> Float[Array, ""]:
    """Learn π_θ(a | s, g, z) for the environment's reward."""
    weight = None if weight is None else jnp.repeat(weight, episodes.mask.shape[1])
    flat = jax.tree.map(lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), (episodes, goals, z))
    episodes, goals, z = flat

    def features(networks: PearlNetworks) -> Features:
        steps = episodes.features.shape[1]
        told = jnp.broadcast_to(goals[:, None], (len(goals), steps, goals.shape[-1]))
        return networks.policy.features(None, episodes.features, told, z[:, None])

    discounts = learner.discount * ~episodes.ended
    steps = Steps(episodes.actions, episodes.rewards, discounts, episodes.mask, weight=weight)
    heads = networks.policy.head, targets.policy.head
    return learner.loss(*heads, features(networks), features(targets), steps, key)[0]
