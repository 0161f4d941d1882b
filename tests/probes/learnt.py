"""What an algorithm has learnt on a probe family: greedy trials after training."""

import equinox as eqx
import jax
import jax.numpy as jnp
from training.inline import chunk

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import MetaEnv
from scoutrl.training.state import TrainingState, start
from scoutrl.trials.sampler import DeviceSampler
from scoutrl.trials.trial import Trial


def learnt(env: MetaEnv, algorithm: Algorithm, iterations: int, trials: int = 64) -> Trial:
    """Greedy trials in unseen problems after training. Families that differ in their tables only compile once."""
    return _trained(env, algorithm, iterations, trials, start(env, algorithm, 0))


@eqx.filter_jit
def _trained(env: MetaEnv, algorithm: Algorithm, iterations: int, trials: int, state: TrainingState) -> Trial:
    sampler = DeviceSampler(env)
    state, _ = chunk(sampler, algorithm, iterations, state)
    agent = algorithm.agent(env, state.algorithm)
    problems = jnp.asarray(env.problems.of("test"))
    problems = problems[jnp.arange(trials) % len(problems)]
    keys = jax.random.split(jax.random.key(1), trials)
    return sampler.sample(lambda problem, key: agent, problems, keys, algorithm.protocol(greedy=True))
