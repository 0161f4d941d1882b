"""Ending an exploration episode in a family that has no action for it."""

import equinox as eqx
import jax
import numpy as np
import pytest
from algorithms.small_dream import begun, play, quick_jit, small, with_counter
from probes.rooms import Rooms

from scoutrl.errors import ScoutError
from scoutrl.trials.rollout import rollout

DREAM = small(end_exploration=True, exploration_episodes=2)
ENV = Rooms()


def state(worth: float, residual: float = 0.0):
    """A state in whose networks all situations are worth so much to the explorer."""
    fresh = with_counter(begun(ENV, DREAM), least_residual=residual)
    values = lambda s: [part.actors.explorer.head.value for part in (s.networks, s.targets)]  # noqa: E731
    biases = lambda s: [layer.bias for layer in values(s)] + [layer.weight for layer in values(s)]  # noqa: E731
    return eqx.tree_at(biases, fresh, [x * 0 + worth for x in biases(fresh)[:2]] + [x * 0 for x in biases(fresh)[2:]])


@quick_jit
def greedy(given):
    agent, protocol = DREAM.agent(ENV, given), DREAM.protocol(greedy=True)
    return rollout(ENV, agent, ENV.problems.ids[0], jax.random.key(0), protocol)


@pytest.mark.slow
@pytest.mark.parametrize(("worth", "residual", "steps"), [(-9, 0.0, 0), (9, 0.0, 2), (-9, 1.0, 2)])
def test_exploration_ends_where_going_on_is_worth_less_than_nothing_once_a_step_costs(worth, residual, steps):
    trial = greedy(state(worth, residual))
    assert trial.exploration.lengths.tolist() == [steps, steps]
    assert trial.exploitation.lengths.tolist() == [2]
    if not steps:
        assert not trial.exploration.rewards.any()
        assert not trial.exploration.ended.any()
        observations = np.asarray(trial.exploration.observations)
        assert (observations == observations[:, :1]).all()


@pytest.mark.slow
def test_half_of_the_training_trials_go_on():
    lengths = np.concatenate(
        [play(ENV, DREAM, state(-9), jax.random.key(i)).exploration.lengths for i in range(4)], axis=0
    )
    assert set(lengths.ravel().tolist()) == {0, 2}
    assert (lengths[:, 0] == lengths[:, 1]).all()
    assert 0.2 < (lengths[:, 0] > 0).mean() < 0.8


@pytest.mark.slow
def test_learning_goes_on_with_trials_that_ended_at_once():
    given = state(-9)
    trials = play(ENV, DREAM, given, jax.random.key(0))
    loss, aux = quick_jit(DREAM.loss)(given.networks, given, trials, jax.random.key(1))
    assert np.isfinite(loss)
    assert all(np.isfinite(value) for value in aux.metrics.values())


def test_a_learner_that_does_not_tell_what_states_are_worth_is_refused():
    with pytest.raises(ScoutError, match="end_exploration goes by action values, and learner=sac has none"):
        small(end_exploration=True, learner="sac")
