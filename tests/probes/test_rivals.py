"""Rivals of DREAM learn what they can learn in families whose best return is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
from probes.families import Tables, arms, switches

from scoutrl.algorithms.base import Algorithm
from scoutrl.algorithms.metacure import MetaCure
from scoutrl.algorithms.pearl import Pearl
from scoutrl.training.chunk import chunk
from scoutrl.training.state import start
from scoutrl.trials.rollout import Protocol, rollout
from scoutrl.trials.trial import Trial

TRIALS = 256
PEARL = Pearl(
    z=4,
    trials=16,
    updates=2,
    batch=16,
    capacity=2048,
    learning_rate=5e-3,
    average_rate=0.02,
    width=16,
    policy_width=16,
)
METACURE = MetaCure(
    z=4,
    trials=16,
    updates=2,
    batch=16,
    capacity=2048,
    learning_rate=5e-3,
    average_rate=0.02,
    warmup=100,
    width=16,
    memory=16,
    policy_width=16,
)


def learnt(algorithm: Algorithm, env: Tables, iterations: int) -> Trial:
    """Greedy trials in unseen problems after training."""

    @eqx.filter_jit
    def run() -> Trial:
        progress, _ = chunk(env, algorithm, iterations, start(env, algorithm, jnp.int32(0)))
        agent, protocol = algorithm.agent(env, progress.learner), Protocol(1, 1, greedy=True)
        problems = jnp.asarray(env.problems.of("test"))
        keys = jax.random.split(jax.random.key(1), TRIALS)
        one = lambda key, i: rollout(env, agent, problems[i % len(problems)], key, protocol)  # noqa: E731
        return jax.vmap(one)(keys, jnp.arange(TRIALS))

    return run()


def test_pearl_puts_a_bandit_s_two_episodes_together():
    """Posterior sampling is optimal here: whichever arm is drawn, its reward tells."""
    assert learnt(PEARL, arms(), 600).exploitation.returns.mean() > 0.97


def test_metacure_finds_the_cue_beside_a_distractor():
    """It looks at both, for both tell problems apart, and still exploits as well as can be."""
    trials = learnt(METACURE, switches(), 1500)
    assert trials.exploitation.returns.mean() > 0.95
    explored = trials.exploration
    looked = [((explored.actions == action) & explored.mask).any(axis=(1, 2)) for action in (1, 2)]
    assert looked[0].mean() > 0.9
    # Where the secret is 1, looking for it ends the episode.
    assert looked[1][trials.problem[:, 0] != 1].mean() > 0.9
