"""The rivals learn what there is to learn in families whose best return is known."""

import pytest
from probes.families import arms, halves, switches
from probes.learnt import learnt
from probes.targets import Targets

from scoutrl.algorithms.base import Algorithm
from scoutrl.algorithms.registry import find
from scoutrl.algorithms.settings import build

SMALL = {
    "exploration_episodes": 2,
    "width": 16,
    "memory_size": 16,
    "policy_width": 32,
    "trials_per_iteration": 16,
    "capacity": 2048,
    "learning_rate": 5e-3,
}
Q = {"updates_per_iteration": 2, "batch_size": 16, "warmup": 100, "average_rate": 0.02}
PPO = {
    "learner": "ppo",
    "trials_per_iteration": 64,
    "updates_per_iteration": 4,
    "batch_size": 64,
    "average_rate": 0.02,
    "learning_rate": 3e-3,
}

pytestmark = [pytest.mark.slow, pytest.mark.long]


def rival(name: str, **settings) -> Algorithm:
    return build(find(name), {**SMALL, **settings})


@pytest.mark.parametrize("settings", [Q, PPO], ids=["q", "ppo"])
def test_rl2_tries_an_arm_and_stays_or_turns(settings):
    """A bandit of two arms over the episodes of a trial: only the first pull may miss, and every one counts."""
    trial = learnt(arms(), rival("rl2", **settings), 400)
    first = trial.exploration.returns[:, 0].mean()
    assert 0.3 < first < 0.7
    assert trial.exploration.returns[:, 1].mean() > 0.95
    assert trial.exploitation.returns.mean() > 0.95


@pytest.mark.parametrize(("name", "rate", "iterations"), [("import", 5e-3, 1200), ("varibad", 3e-3, 1200)])
def test_a_cue_is_looked_up(name, rate, iterations):
    """Or found out by trying: one who does not explore gets 0.625 at best."""
    trial = learnt(switches(), rival(name, **Q, learning_rate=rate), iterations)
    assert trial.exploitation.returns.mean() > 0.9


def test_e_rl2_puts_together_what_two_exploration_episodes_show():
    assert learnt(halves(), rival("e-rl2", **Q), 800).exploitation.returns.mean() > 0.95


def test_ppo_learns_continuous_actions():
    """What the first action pays tells where the target is: one who knows nothing gets 1/3."""
    trial = learnt(Targets(), rival("e-rl2", **PPO, exploration_episodes=1), 500)
    assert trial.exploitation.returns.mean() > 0.9
