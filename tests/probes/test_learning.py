"""DREAM learns what there is to learn in families whose best return is known."""

import pytest
from probes.families import arms, halves, switches
from probes.learnt import learnt

from scoutrl.algorithms.dream.dream import Dream
from scoutrl.trials.trial import Trial

DREAM = Dream(
    z=4,
    step_cost=0.1,
    exploration_episodes=2,
    trials_per_iteration=16,
    updates_per_iteration=2,
    batch_size=16,
    capacity=2048,
    learning_rate=5e-3,
    average_rate=0.02,
    warmup=100,
    width=16,
    memory_size=16,
    policy_width=16,
    policy_memory=False,
)
ITERATIONS = 1800

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def on_switches() -> Trial:
    return learnt(switches(), DREAM, ITERATIONS)


def test_the_reward_of_one_arm_tells_about_both():
    assert learnt(arms(), DREAM, ITERATIONS).exploitation.returns.mean() > 0.95


def test_a_cue_that_must_be_looked_up(on_switches):
    assert on_switches.exploitation.returns.mean() > 0.9
    explored = on_switches.exploration
    looked = ((explored.actions == 1) & explored.mask).any(axis=(1, 2))
    assert looked.mean() > 0.9


def test_a_distractor_is_ignored_and_exploring_stops(on_switches):
    explored = on_switches.exploration
    # Where the secret is 2, action 2 is as good as any to end an episode.
    secret = on_switches.problem[:, 0]
    assert ((explored.actions == 2) & explored.mask).any(axis=(1, 2))[secret != 2].mean() < 0.1
    # One look and two ends would do; without a cost it might be all eight steps.
    assert explored.lengths.sum(axis=1).mean() < 4.5


def test_what_two_exploration_episodes_show_is_put_together():
    assert learnt(halves(), DREAM, ITERATIONS).exploitation.returns.mean() > 0.95
