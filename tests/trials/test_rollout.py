from functools import cache

import jax
import numpy as np
import pytest
from trials.corridor import ENCODED, SILENT, Clerk, Corridor, Keeper

from scoutrl.trials.rollout import rollout
from scoutrl.trials.trial import Protocol

PROBLEMS = np.array([[0], [1], [2], [5]])


@cache
def trials(shows: str, exploration: int = 1, exploitation: int = 1, greedy: bool = False, family=Corridor):
    """One trial in each of the problems; the leading axis is theirs."""
    protocol = Protocol(exploration, exploitation, greedy)
    run = jax.jit(jax.vmap(lambda problem, key: rollout(family(), Clerk(shows), problem, key, protocol)))
    return jax.tree.map(np.asarray, run(PROBLEMS, jax.random.split(jax.random.key(0), len(PROBLEMS))))


def test_shapes():
    trial = trials("episodes", 2, 3)
    for episodes, count in ((trial.exploration, 2), (trial.exploitation, 3)):
        assert episodes.observations.shape == (4, count, 5)
        assert episodes.goals.shape == (4, count)
        for array in (episodes.actions, episodes.rewards, episodes.ended, episodes.mask):
            assert array.shape == (4, count, 4)
    np.testing.assert_array_equal(trial.problem, PROBLEMS)


def test_steps_taken_come_first_and_nothing_is_earned_after_the_end():
    for episodes in (trials("episodes", 2, 3).exploration, trials("episodes", 2, 3).exploitation):
        for p, length in enumerate([1, 2, 3, 4]):
            assert (episodes.lengths[p] == length).all()
            assert (episodes.mask[p] == (np.arange(4) < length)).all()
            assert (episodes.rewards[p] == np.where(np.arange(4) < length, np.arange(4) + 1, 0)).all()
            assert (episodes.returns[p] == length * (length + 1) / 2).all()
            assert (episodes.observations[p] == np.minimum(np.arange(5), length)).all()


@pytest.mark.slow
def test_an_agent_acts_on_and_is_answered_with_what_it_makes_of_an_observation():
    for shows, first in (("features", 0), ("answer", 1)):
        episodes = trials(shows, 2, 3).exploitation
        for t in range(first, 4):
            taken = episodes.mask[..., t]
            assert (episodes.actions[..., t][taken] == ENCODED + episodes.observations[..., t][taken]).all()
    # What is stored is what there was to see.
    assert episodes.observations.max() < ENCODED


def test_time_running_out_ends_the_return_like_the_problem_s_own_end_unless_the_family_bootstraps():
    """Corridors 0 and 2 are terminated, corridor 1 is truncated, and corridor 3 comes to the horizon."""
    episodes = trials("episodes", 2, 3).exploitation
    last = episodes.mask & (np.cumsum(episodes.mask, axis=-1) == episodes.mask.sum(axis=-1, keepdims=True))
    np.testing.assert_array_equal(episodes.ended, last)

    class Endless(Corridor):
        time_limit = "bootstrap"

    ends = trials("episodes", 2, 3, family=Endless).exploitation.ended
    np.testing.assert_array_equal(ends, last & np.array([True, False, True, False])[:, None, None])


def test_memory_lasts_a_trial_and_stands_still_once_an_episode_has_ended():
    trial = trials("episodes", 2, 3)
    actions = np.concatenate([trial.exploration.actions, trial.exploitation.actions], axis=1)
    assert (actions == np.arange(1, 6)[None, :, None]).all()
    trial = trials("steps", 2, 3)
    actions = np.concatenate([trial.exploration.actions, trial.exploitation.actions], axis=1)
    for p, length in enumerate([1, 2, 3, 4]):
        # Steps observed before each step taken: those of the earlier episodes count, those after an end do not.
        expected = length * np.arange(5)[:, None] + np.arange(length)
        np.testing.assert_array_equal(actions[p, :, :length], expected)
        np.testing.assert_array_equal(
            actions[p, :, length:], np.repeat(length * np.arange(1, 6)[:, None], 4 - length, 1)
        )


def test_rewards_are_observed_while_the_episode_lasts():
    trial = trials("rewards", 2, 1)
    assert trial.exploitation.actions[:, 0, 0].tolist() == [2 * sum(range(1, n + 1)) for n in (1, 2, 3, 4)]


def test_the_goal_is_hidden_when_exploring():
    trial = trials("goal", 1, 2)
    assert (trial.exploration.actions == SILENT).all()
    assert (trial.exploitation.actions == 7).all()


def test_the_agent_is_told_the_phase():
    trial = trials("exploring", 2, 2)
    assert (trial.exploration.actions == 1).all()
    assert (trial.exploitation.actions == 0).all()


@pytest.mark.parametrize("greedy", [False, True])
def test_the_protocol_says_whether_to_be_greedy(greedy):
    trial = trials("greedy", greedy=greedy)
    assert (trial.exploration.actions == greedy).all()
    assert (trial.exploitation.actions == greedy).all()


def test_what_an_agent_keeps_of_its_decisions_is_told_by_the_trial():
    run = jax.jit(lambda key: rollout(Corridor(), Keeper("features"), PROBLEMS[1], key, Protocol(2, 1)))
    trial = run(jax.random.key(0))
    for episodes, counts in ((trial.exploration, [[0, 1], [2, 3]]), (trial.exploitation, [[4, 5]])):
        assert episodes.kept["steps"].shape == episodes.mask.shape
        assert episodes.kept["steps"][:, :2].tolist() == counts
        np.testing.assert_array_equal(episodes.kept["action"], episodes.actions)
    assert trials("features").exploration.kept is None


def test_an_agent_is_not_informed_unless_it_says_so():
    assert trials("features").informed.tolist() == [False] * 4
