"""DREAM as small as it can be, on the smallest family that has goals and IDs of two components."""

from collections.abc import Callable
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray
from probes.rooms import Rooms

from scoutrl.algorithms.dream.dream import Dream
from scoutrl.algorithms.off_policy import Learner
from scoutrl.training.iteration import collect
from scoutrl.training.state import TrainingState
from scoutrl.trials.trial import Trial

TRIALS = 8


def small(**settings) -> Dream:
    sizes = {"z": 3, "width": 4, "memory": 4, "policy_width": 4, "trials": TRIALS, "batch": TRIALS}
    chosen: dict[str, Any] = {**sizes, "capacity": 2 * TRIALS, "updates": 1, "warmup": 1, **settings}
    return Dream(**chosen)


SEVERAL = {"explorations": 2, "exploitations": 2}
"""Settings for two episodes of each phase."""


def quick_jit(function: Callable) -> Callable:
    """Compiles in half the time, for what is run once or twice."""
    options: dict[str, Any] = {"compiler_options": {"xla_backend_optimization_level": 0}}
    return eqx.filter_jit(function, **options)


@cache
def lived(seed: int = 0) -> tuple[Rooms, Learner, Trial]:
    """A family, a fresh state whose weights are all random, and trials of two and two episodes to learn from."""
    env, dream, key = Rooms(), small(**SEVERAL), jax.random.key(seed)
    state = _init(env, dream, key)
    # A fresh average is a copy and fresh biases are zero, which hides mistakes.
    nets = noisy(state.nets, seed), noisy(state.average, seed + 100)
    state = eqx.tree_at(lambda s: (s.nets, s.average), state, nets)
    return env, state, _play(env, dream, state, key)


@quick_jit
def _init(env: Rooms, dream: Dream, key: PRNGKeyArray) -> Learner:
    return dream.init(env, key)


@quick_jit
def _play(env: Rooms, dream: Dream, state: Learner, key: PRNGKeyArray) -> Trial:
    problems, keys = env.problems.sample(key, TRIALS), jax.random.split(key, TRIALS)
    return collect(env, dream, TrainingState(state, key, jnp.int32(0)), problems, keys)


def noisy(tree, seed: int = 0):
    """The tree with random numbers added to all of its own."""
    random = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(x + 0.3 * random.normal(size=x.shape), jnp.float32), tree)


def ignorant(state: Learner, ignorance: float) -> Learner:
    """The same state, whose decoder is said to leave so much unknown."""
    return eqx.tree_at(lambda s: s.running["ignorance"], state, jnp.float32(ignorance))


def size(tree) -> float:
    """The largest of all numbers in a tree; 0 where there are none."""
    return max((float(np.abs(np.asarray(leaf)).max()) for leaf in jax.tree.leaves(tree) if np.size(leaf)), default=0.0)
