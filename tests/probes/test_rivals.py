"""Rivals of DREAM learn what they can learn in families whose best return is known."""

import pytest
from probes.families import arms, switches
from probes.learnt import learnt

from scoutrl.algorithms.metacure.metacure import MetaCure
from scoutrl.algorithms.pearl.pearl import Pearl

TRIALS = 256
SMALL = {
    "z": 4,
    "trials_per_iteration": 16,
    "updates_per_iteration": 2,
    "batch_size": 16,
    "capacity": 2048,
    "learning_rate": 5e-3,
    "average_rate": 0.02,
    "width": 16,
    "policy_width": 16,
}
PEARL = Pearl(**SMALL)
METACURE = MetaCure(**SMALL, memory_size=16, warmup=100)

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_pearl_puts_a_bandit_s_two_episodes_together():
    """Posterior sampling is optimal here: whichever arm is drawn, its reward tells."""
    assert learnt(arms(), PEARL, 600, TRIALS).exploitation.returns.mean() > 0.97


def test_metacure_finds_the_cue_beside_a_distractor():
    """It looks at both, for both tell problems apart, and still exploits as well as can be."""
    trials = learnt(switches(), METACURE, 1500, TRIALS)
    assert trials.exploitation.returns.mean() > 0.95
    explored = trials.exploration
    looked = [((explored.actions == action) & explored.mask).any(axis=(1, 2)) for action in (1, 2)]
    assert looked[0].mean() > 0.9
    # Where the secret is 1, looking for it ends the episode.
    assert looked[1][trials.problem[:, 0] != 1].mean() > 0.9
