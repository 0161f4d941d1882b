"""What the algorithms with one policy for the whole trial optimise, and that learning is pure."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import TRIALS, quick_jit, size
from algorithms.small_rivals import RIVALS, lived, small
from algorithms.test_dream_learning import close

from scoutrl.algorithms.recurrent.unroll import recall
from scoutrl.errors import ScoutError
from scoutrl.runs.config import resolve
from scoutrl.training.iteration import chunk
from scoutrl.training.state import start

learn = quick_jit(lambda rival, env, state, trials, key: rival.learn(env, state, trials, key))
LEARNERS = ["q", "ppo"]


@quick_jit
def counted(rival, state, trials):
    recalled = recall(state.nets.actor, trials, rival.see_rewards)
    return rival.counted(recalled.life), rival.discounts(recalled.life)


def test_which_rewards_count_and_where_the_return_ends():
    _, state, trials = lived("rl2")
    ones = jax.tree.map(jnp.ones_like, (trials.exploration.rewards, trials.exploitation.rewards))
    trials = eqx.tree_at(lambda t: (t.exploration.rewards, t.exploitation.rewards), trials, ones)
    everything, discounts = counted(small("rl2"), state, trials)
    exploitation, _ = counted(small("e-rl2"), state, trials)
    # Two episodes of two steps in each phase: no end of an episode ends the return, the end of the trial does.
    np.testing.assert_array_equal(everything, np.ones((TRIALS, 8)))
    np.testing.assert_array_equal(exploitation, [[0] * 4 + [1] * 4] * TRIALS)
    np.testing.assert_allclose(discounts, [[0.99] * 7 + [0]] * TRIALS, rtol=1e-6)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("name", RIVALS[1:])
def test_learning_is_pure_and_trains_all_there_is(name, learner):
    env, state, trials = lived(name, learner)
    rival = small(name, learner=learner, updates=2)
    before = jax.tree.map(np.array, state)
    first, metrics = learn(rival, env, state, trials, jax.random.key(0))
    second, _ = learn(rival, env, state, trials, jax.random.key(0))
    assert eqx.tree_equal(first, second)
    assert eqx.tree_equal(jax.tree.map(np.asarray, state), before)
    assert all(np.isfinite(value) for value in metrics.values())
    assert int(first.updates) == 2
    assert (first.replay is None) == (learner == "ppo")
    moved = jax.tree.map(jnp.subtract, first.nets, state.nets)
    assert all(size(leaf) > 1e-5 for leaf in jax.tree.leaves(moved) if leaf.size)


@pytest.mark.parametrize(("name", "learner"), [("e-rl2", "ppo"), ("import", "q"), ("varibad", "q")])
def test_several_seeds_in_one_program_are_each_seed_alone(name, learner):
    (env, *first), (_, *second) = lived(name, learner, 0), lived(name, learner, 1)
    rival, keys = small(name, learner=learner), jax.random.split(jax.random.key(0), 2)
    alone = [learn(rival, env, *given, key) for given, key in zip((first, second), keys, strict=True)]
    stack = lambda *trees: jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)  # noqa: E731
    together = quick_jit(eqx.filter_vmap(rival.learn, in_axes=(None, 0, 0, 0)))
    close(together(env, *stack(first, second), keys), stack(*alone), 1e-3)


def test_the_fresh_policy_is_the_one_that_lived_the_trials():
    """On the first step of PPO all ratios are 1: the surrogate is the mean of normalised advantages, 0."""
    env, state, trials = lived("e-rl2", "ppo")
    _, metrics = learn(small("e-rl2", learner="ppo"), env, state, trials, jax.random.key(0))
    assert metrics["policy_loss"] == pytest.approx(0, abs=1e-5)


def test_ppo_passes_whole_times_through_the_fresh_trials():
    for settings in ({"trials": 8, "batch": 3}, {"trials": 8, "batch": 4, "updates": 3}):
        with pytest.raises(ScoutError, match="batch"):
            small("rl2", learner="ppo", **settings)


def test_q_learning_refuses_actions_that_are_not_discrete():
    from probes.targets import Targets

    with pytest.raises(ScoutError, match="learner=ppo"):
        small("e-rl2").init(Targets(), jax.random.key(0))


def test_a_chunk_of_training_is_finite():
    env, rival = lived("import")[0], small("import")
    progress, report = quick_jit(lambda seed: chunk(env, rival, 2, start(env, rival, seed)))(jnp.int32(0))
    assert bool(report.finite.all())
    assert int(progress.learner.updates) == 2


def test_presets_are_admitted():
    from scoutrl.runs.presets import PRESETS

    for algorithm, family in PRESETS:
        resolve(algorithm, family)
