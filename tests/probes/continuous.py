"""Learners alone, without an algorithm around them, on continuous puzzles whose best return is known."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from gymnasium.spaces import Box
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.nn.init import generator
from scoutrl.nn.linear import Linear
from scoutrl.rl.learner import Head, PolicyLearner, Steps

EPISODES, STORED, BATCH, UPDATES = 32, 1024, 64, 4
WARMUP = 20


class Puzzle(NamedTuple):
    """Episodes of a few steps."""

    coordinates: int
    """Of an action, each from -1 to 1."""
    horizon: int
    begin: Callable[[PRNGKeyArray], Array]
    """Draws the first observation."""
    step: Callable[[Array, Array, Array, Any], tuple[Array, Array]]
    """(observation, action, whether it is the last step, data) -> (observation, reward)."""


class Policy(eqx.Module):
    trunk: Linear
    head: Head

    def features(self, observation: Array) -> Array:
        return jax.nn.relu(self.trunk(observation))


def solved(
    learner: PolicyLearner, puzzle: Puzzle, data: Any, iterations: int, rate: float = 3e-3, width: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """Greedy episodes after training: observations [episodes, horizon + 1, …], and returns [episodes]."""
    rng = generator(jax.random.key(0))
    seen = jax.eval_shape(puzzle.begin, jax.random.key(0)).shape[0]
    box = Box(-1, 1, (puzzle.coordinates,), np.float32)
    policy = Policy(Linear(seen, width, rng), learner.head(width, box, rng))
    observations, steps = _train(learner, puzzle, iterations, rate, policy, data)
    return np.asarray(observations), np.asarray(steps.rewards.sum(axis=1))


@eqx.filter_jit
def _train(
    learner: PolicyLearner, puzzle: Puzzle, iterations: int, rate: float, policy: Policy, data: Any
) -> tuple[Array, Steps]:
    adam = optax.adam(rate)
    fresh = lambda policy, random, key: _collect(learner, puzzle, policy, random, key, data)  # noqa: E731
    shapes = jax.eval_shape(fresh, policy, 1.0, jax.random.key(0))
    ring = jax.tree.map(lambda x: jnp.zeros((STORED, *x.shape[1:]), x.dtype), shapes)

    def iteration(state: tuple, now: tuple) -> tuple[tuple, None]:
        policy, target, optimiser, ring = state
        number, key = now
        collect_key, update_key = jax.random.split(key)
        trials = fresh(policy, jnp.clip(1 - number / WARMUP, 0, 1), collect_key)
        place = (number * EPISODES) % STORED
        ring = jax.tree.map(lambda old, new: jax.lax.dynamic_update_slice_in_dim(old, new, place, 0), ring, trials)
        stored = jnp.minimum((number + 1) * EPISODES, STORED)

        def update(state: tuple, key: PRNGKeyArray) -> tuple[tuple, None]:
            policy, target, optimiser = state
            draw, loss_key = jax.random.split(key)
            rows = jax.random.randint(draw, (BATCH,), 0, stored)
            batch = trials if learner.on_policy else jax.tree.map(lambda x: x[rows], ring)
            slope = jax.grad(_loss)(policy, target, learner, batch, loss_key)
            change, optimiser = adam.update(slope, optimiser)
            policy = optax.apply_updates(policy, change)
            target = optax.incremental_update(policy, target, 0.05)  # type: ignore
            return (policy, target, optimiser), None

        learnt = policy, target, optimiser
        learnt, _ = jax.lax.scan(update, learnt, jax.random.split(update_key, UPDATES))
        return (*learnt, ring), None

    state = policy, policy, adam.init(policy), ring  # type: ignore
    numbers = jnp.arange(iterations), jax.random.split(jax.random.key(1), iterations)
    (_, target, *_), _ = jax.lax.scan(iteration, state, numbers)
    return _collect(learner, puzzle, target, 0.0, jax.random.key(2), data, greedy=True)


def _loss(policy: Policy, target: Policy, learner: PolicyLearner, batch: Any, key: PRNGKeyArray) -> Float[Array, ""]:
    observations, steps = batch
    seen = policy.features(observations), target.features(observations)
    return learner.loss(policy.head, target.head, *seen, steps, key)[0]


def _collect(
    learner: PolicyLearner,
    puzzle: Puzzle,
    policy: Policy,
    random: Array | float,
    key: PRNGKeyArray,
    data: Any,
    greedy: bool = False,
) -> tuple[Array, Steps]:
    """Episodes by the policy: observations [episode, time + 1, …], and steps."""

    def episode(key: PRNGKeyArray) -> tuple[Array, Steps]:
        begin_key, noise_key, key = jax.random.split(key, 3)
        begun = puzzle.begin(begin_key)
        noise = learner.bound(learner.noise(noise_key, policy.head), random)

        def step(state: tuple, now: tuple) -> tuple[tuple, tuple]:
            observation, noise = state
            last, key = now
            outputs = policy.head(policy.features(observation))
            noise = learner.advance(noise)
            action = learner.act(outputs, noise, key, greedy)
            after, reward = puzzle.step(observation, action, last, data)
            return (after, noise), (after, action, reward, learner.keep(outputs, action))

        last = jnp.arange(puzzle.horizon) == puzzle.horizon - 1
        _, (after, actions, rewards, kept) = jax.lax.scan(
            step, (begun, noise), (last, jax.random.split(key, puzzle.horizon))
        )
        discounts = learner.discount * (1.0 - last)
        steps = Steps(actions, rewards, discounts, jnp.ones(puzzle.horizon, bool), kept)
        return jnp.concatenate([begun[None], after]), steps

    return jax.vmap(episode)(jax.random.split(key, EPISODES))


def line() -> Puzzle:
    """Two steps along a line. An observation is (cue, place, 1 in the second step); data is (cued, only the end pays).

    A step pays -(a - w)², w being the cue, or 0.5 if it is not cued. If only the end pays, that is -(place - 1.5)²
    after both steps: the first has to be right for the sake of the second.
    """

    def begin(key: PRNGKeyArray) -> Array:
        return jnp.stack([jax.random.uniform(key, minval=-0.9, maxval=0.9), jnp.float32(0), jnp.float32(0)])

    def step(seen: Array, action: Array, last: Array, data: tuple[Array, Array]) -> tuple[Array, Array]:
        cued, end = data
        place, wanted = seen[1] + action[0], jnp.where(cued, seen[0], 0.5)
        reward = jnp.where(end, -((place - 1.5) ** 2) * last, -((action[0] - wanted) ** 2))
        return jnp.stack([seen[0], place, jnp.float32(1)]), reward

    return Puzzle(1, 2, begin, step)


def reach(coordinates: int) -> Puzzle:
    """Six steps, of at most 0.3 along each axis, towards a place drawn from -1 … 1; each pays minus the mean distance.

    An observation is the way that is left.
    """

    def begin(key: PRNGKeyArray) -> Array:
        return jax.random.uniform(key, (coordinates,), minval=-1.0)

    def step(seen: Array, action: Array, last: Array, data: Any) -> tuple[Array, Array]:
        left = seen - 0.3 * action
        return left, -jnp.abs(left).mean()

    return Puzzle(coordinates, 6, begin, step)
