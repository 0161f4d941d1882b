"""What an algorithm has learnt on a probe family: greedy trials after training."""

import equinox as eqx
import jax
import jax.numpy as jnp

from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import MetaEnv
from scoutrl.evaluation.evaluate import greedy_protocol
from scoutrl.training.iteration import chunk
from scoutrl.training.state import start
from scoutrl.trials.rollout import rollout
from scoutrl.trials.trial import Trial


@eqx.filter_jit
def learnt(env: MetaEnv, algorithm: Algorithm, iterations: int, trials: int = 64) -> Trial:
    """Greedy trials in unseen problems after training. Families that differ in their tables only compile once."""
    progress, _ = chunk(env, algorithm, iterations, start(env, algorithm, jnp.int32(0)))
    agent, protocol = algorithm.agent(env, progress.learner), greedy_protocol(algorithm)
    problems = jnp.asarray(env.problems.of("test"))
    keys = jax.random.split(jax.random.key(1), trials)
    return jax.vmap(lambda key, i: rollout(env, agent, problems[i % len(problems)], key, protocol))(
        keys, jnp.arange(trials)
    )
