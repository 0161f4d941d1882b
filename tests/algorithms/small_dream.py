"""DREAM as small as it can be, on the smallest family that has goals and IDs of two components."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray
from probes.rooms import Rooms
from training.inline import Chunk, chunk

from scoutrl.algorithms.base import Algorithm, AlgorithmState
from scoutrl.algorithms.dream.dream import Dream
from scoutrl.algorithms.settings import build
from scoutrl.envs import MetaEnv, Step
from scoutrl.training.state import start
from scoutrl.trials.agent import Agent, Memory, Phase, encode_step
from scoutrl.trials.sampler import DeviceSampler
from scoutrl.trials.trial import Trial

TRIALS = 8
SEVERAL: dict[str, Any] = {"exploration_episodes": 2, "exploitation_episodes": 2}
"""Settings for two episodes of each phase."""
SIZES: dict[str, Any] = {"width": 4, "policy_width": 4, "trials_per_iteration": TRIALS, "batch_size": TRIALS}
SIZES["see_time"] = False  # so that what is seen is what is observed


def small(**settings) -> Dream:
    sizes = {**SIZES, "z": 3, "memory_size": 4, "capacity": 2 * TRIALS, "updates_per_iteration": 1, "warmup": 1}
    dream = build(Dream, {**sizes, **settings})
    assert isinstance(dream, Dream)
    return dream


def quick_jit(function: Callable) -> Callable:
    """Compiles in half the time, for what is run once or twice."""
    options: dict[str, Any] = {"compiler_options": {"xla_backend_optimization_level": 0}}
    return eqx.filter_jit(function, **options)


@cache
def lived(seed: int = 0, **settings) -> tuple[Rooms, AlgorithmState, Trial]:
    """A family, a fresh state whose weights are all random, and trials of two and two episodes to learn from."""
    env, dream = Rooms(), small(**SEVERAL, **settings)
    state = begun(env, dream, seed)
    return env, state, play(env, dream, state, jax.random.key(seed))


def begun(env: MetaEnv, algorithm: Algorithm, seed: int = 0) -> AlgorithmState:
    """A fresh state whose weights are all random."""
    state = start(env, algorithm, seed).algorithm
    # Fresh targets are the networks themselves and fresh biases are zero, which hides mistakes.
    networks, targets = noisy(state.networks, seed), noisy(state.targets, seed + 100)
    return dataclasses.replace(state, networks=networks, targets=targets)


@quick_jit
def play(env: MetaEnv, algorithm: Algorithm, state: AlgorithmState, key: PRNGKeyArray) -> Trial:
    """Training trials of the agents that `algorithm` collects with."""
    problems, keys = env.problems.sample(key, TRIALS), jax.random.split(key, TRIALS)
    collector = eqx.Partial(algorithm.collector, env, state)
    return DeviceSampler(env).sample(collector, problems, keys, algorithm.protocol())


def trained(env: MetaEnv, algorithm: Algorithm) -> tuple[AlgorithmState, Chunk]:
    """The state after two iterations, and what they found."""
    advance = quick_jit(lambda state: chunk(DeviceSampler(env), algorithm, 2, state))
    state, found = advance(start(env, algorithm, 0))
    return state.algorithm, found


def relive(agent: Agent, trial: Trial) -> Iterator[tuple[Memory, Any, Memory]]:
    """Step through a trial as it was lived: memory before each greedy decision, the decision, memory after it."""
    key, end = jax.random.key(0), jnp.bool_(False)
    memory = agent.begin(key)
    for phase, episodes in [(Phase.EXPLORATION, trial.exploration), (Phase.EXPLOITATION, trial.exploitation)]:
        for i in range(len(episodes.mask)):
            goal = episodes.goals[i] if phase == Phase.EXPLOITATION or agent.sees_goal_exploring else None
            memory = agent.begin_episode(memory, phase, goal, key)
            for t in range(episodes.mask.shape[1]):
                before, seen = memory, episodes.observations[i]
                action, memory = agent.act(before, agent.encode(seen[t]), key, True)
                yield before, action, memory
                step = encode_step(agent, Step(seen[t + 1], episodes.rewards[i, t], end, end))
                memory = agent.observe(memory, episodes.actions[i, t], step)


def noisy(tree, seed: int = 0):
    """The tree with random numbers added to all of its own."""
    random = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(x + 0.3 * random.normal(size=x.shape), jnp.float32), tree)


def with_counter(state: AlgorithmState, **counters) -> AlgorithmState:
    """The same state with other values of counters."""
    changed = {name: jnp.asarray(value, state.counters[name].dtype) for name, value in counters.items()}
    return dataclasses.replace(state, counters={**state.counters, **changed})


def with_encoders(state: AlgorithmState, change: Callable[[Any], Any]) -> AlgorithmState:
    """The same state with other encoders of problems, of the current and of the averaged networks."""
    encoders = lambda s: (s.networks.encoder, s.targets.encoder)  # noqa: E731
    return eqx.tree_at(encoders, state, change(encoders(state)))


def size(tree) -> float:
    """The largest of all numbers in a tree; 0 where there are none."""
    return max((float(np.abs(np.asarray(leaf)).max()) for leaf in jax.tree.leaves(tree) if np.size(leaf)), default=0.0)
