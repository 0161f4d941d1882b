"""What the algorithms with one policy for the whole trial optimise, and that learning is pure."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import TRIALS, play, quick_jit, trained
from algorithms.small_rivals import RIVALS, lived, small

from scoutrl.algorithms.recurrent.unroll import policy_features, unroll
from scoutrl.errors import ScoutError
from scoutrl.rl import ppo
from scoutrl.runs.config import resolve


@quick_jit
def counted(rival, state, trials):
    sequence = unroll(state.networks.actor, trials, rival.see_rewards).sequence
    return rival.counted(sequence), rival.discounts(sequence)


@pytest.mark.slow
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


@quick_jit
def decisions(rival, state, trials):
    """What each step's action was, and what the networks say of all four actions there, [trials, step, action]."""
    actor = state.networks.actor
    unrolled = unroll(actor, trials, rival.see_rewards)
    beliefs = rival.beliefs(state.networks, unrolled, trials, jax.random.key(0))
    features = policy_features(actor, unrolled, beliefs)[:, :-1]
    logs = jax.nn.log_softmax(actor.head.parameters(features))
    return unrolled.transitions.actions, logs, actor.head.critic(features)


@pytest.mark.slow
@pytest.mark.parametrize("name", RIVALS[1:])
def test_the_fresh_policy_is_the_one_that_lived_the_trials(name, monkeypatch):
    env, state, _ = lived(name, "ppo")
    weight = lambda s: s.networks.actor.head.parameters.weight  # noqa: E731
    state = eqx.tree_at(weight, state, 2 * weight(state))
    rival, key = small(name, learner="ppo"), jax.random.key(0)
    trials = play(env, rival, state, key)
    actions, logs, values = (np.asarray(x) for x in decisions(rival, state, trials))
    chances = np.exp(logs)
    # Actions differ in how likely they are, in every step, and so do the steps of every trial.
    assert np.ptp(chances, axis=2).min() > 0.1
    assert np.ptp(chances, axis=1).max(axis=-1).min() > 0.02
    assert np.ptp(chances, axis=1).max(axis=-1).mean() > 0.1
    # Each is done as often as the networks say, and likely ones when they are likely, but for chance.
    done = np.eye(4)[actions]
    for measure in (*np.eye(4), logs):
        expected, found = ((weights * measure).sum(axis=-1) for weights in (chances, done))
        variance = (chances * measure**2).sum(axis=-1) - expected**2
        assert abs((found - expected).sum()) < 3 * variance.sum() ** 0.5
    kept = [episodes.kept for episodes in (trials.exploration, trials.exploitation)]
    probability, value = (
        np.concatenate([getattr(of, field).reshape(TRIALS, -1) for of in kept], axis=1)
        for field in ("log_probability", "value")
    )
    np.testing.assert_allclose(probability, (done * logs).sum(axis=-1), atol=1e-5)
    np.testing.assert_allclose(value, values[..., 0], atol=1e-5)

    # On the first step of PPO all ratios are 1, and the surrogate is the mean of normalised advantages, 0.
    ratios, clipped_loss = [], ppo.clipped_loss

    def watched(now, before, *others):
        ratios.append(jnp.exp(now - before))
        return clipped_loss(now, before, *others)

    monkeypatch.setattr(ppo, "clipped_loss", watched)

    @quick_jit
    def first_step(networks):
        metrics = rival.loss(networks, state, trials, key)[1].metrics
        return ratios.pop(), metrics["surrogate"]

    found, surrogate = first_step(state.networks)
    np.testing.assert_allclose(found, np.ones((TRIALS, 8)), atol=1e-5)
    assert surrogate == pytest.approx(0, abs=1e-5)
    # Once the networks are others they are not.
    later, _ = first_step(jax.tree.map(lambda x: 1.1 * x, state.networks))
    assert np.abs(later - 1).max() > 0.01


def test_ppo_passes_whole_times_through_the_fresh_trials():
    for settings in ({"batch_size": 3}, {"batch_size": 4, "updates_per_iteration": 3}):
        with pytest.raises(ScoutError, match="batch_size"):
            small("rl2", learner="ppo", **settings)


@pytest.mark.slow
def test_a_chunk_of_training_is_finite():
    state, found = trained(lived("import")[0], small("import"))
    assert bool(found.finite.all())
    assert int(state.counters["updates"]) == 2


@pytest.mark.slow
def test_presets_are_admitted():
    from scoutrl.envs.registry import families
    from scoutrl.runs.presets import PRESETS

    for algorithm, family in PRESETS:
        if family in families():  # an extra may be missing
            resolve(algorithm, family)
