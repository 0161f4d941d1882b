import dataclasses

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoutrl.trials.encode import EncodedEpisodes
from scoutrl.trials.sequences import transitions, trial_sequence

TIME = 3

lay = jax.jit(transitions)


def episodes(lengths: list[list[int]]) -> EncodedEpisodes:
    """Episodes of the given lengths [batch][episode]; all that happens in them has a number of its own."""
    mask = np.arange(TIME) < np.array(lengths)[..., None]
    batch, count = mask.shape[:2]
    number = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
    # The observation after a step is not the one before the next episode's first.
    seen = np.arange(batch * count * (TIME + 1), dtype=np.float32).reshape(batch, count, TIME + 1)
    pairs = np.stack([seen, -seen], axis=-1)
    kept = {"twice": 2 * number}
    return EncodedEpisodes(pairs, number.astype(np.int32), number / 8, np.zeros_like(mask), mask, None, kept)  # type: ignore[arg-type]


def test_one_episode_stays_as_it_is():
    given = episodes([[2], [3]])
    found = lay(given)
    np.testing.assert_array_equal(found.before, given.features[:, 0, :-1])
    np.testing.assert_array_equal(found.after, given.features[:, 0, 1:])
    for name in ("actions", "rewards", "mask"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name)[:, 0])
    np.testing.assert_array_equal(found.prefixes, [[True, True, True, False], [True] * 4])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, TIME), min_size=3, max_size=3), min_size=2, max_size=2))
def test_steps_taken_of_all_episodes_come_first_in_their_order(lengths):
    given = episodes(lengths)
    found = jax.tree.map(np.asarray, lay(given))
    for row, one in enumerate(lengths):
        taken, total = given.mask[row], sum(one)
        assert found.mask[row].tolist() == [True] * total + [False] * (3 * TIME - total)
        np.testing.assert_array_equal(found.actions[row, :total], given.actions[row][taken])
        np.testing.assert_array_equal(found.rewards[row, :total], given.rewards[row][taken])
        np.testing.assert_array_equal(found.kept["twice"][row, :total], 2 * given.actions[row][taken])
        np.testing.assert_array_equal(found.before[row, :total], given.features[row, :, :-1][taken])
        np.testing.assert_array_equal(found.after[row, :total], given.features[row, :, 1:][taken])
        # Nothing is lost or doubled.
        assert sorted(found.actions[row]) == sorted(given.actions[row].ravel())


@pytest.mark.parametrize("lengths", [[[0], [1], [3]], [[0, 0], [2, 1], [3, 3]]])
def test_the_last_prefix_is_that_of_all_steps_taken(lengths):
    laid = lay(episodes(lengths))
    steps = laid.mask.shape[1] + 1
    x = np.arange(3 * steps * 2, dtype=np.float32).reshape(3, steps, 2)
    found = jax.jit(type(laid).last)(laid, x)
    np.testing.assert_array_equal(found, [x[row, sum(one)] for row, one in enumerate(lengths)])


def test_a_trial_is_both_phases_in_order():
    exploration, exploitation = episodes([[2, 1], [3, 0]]), episodes([[1], [3]])
    goals = [np.array([[10, 11], [12, 13]]), np.array([[20], [21]])]
    phases = (
        dataclasses.replace(exploration, goals=goals[0]),
        dataclasses.replace(exploitation, goals=goals[1], rewards=exploitation.rewards + 100),
    )
    found = jax.tree.map(np.asarray, jax.jit(trial_sequence)(*phases))
    assert found.transitions.mask.tolist() == [[True] * 4 + [False] * 5, [True] * 6 + [False] * 3]
    np.testing.assert_array_equal(found.exploiting[0, :4], [False, False, False, True])
    np.testing.assert_array_equal(found.exploiting[1, :6], [False] * 3 + [True] * 3)
    np.testing.assert_array_equal(found.is_first[0, :4], [True, False, True, True])
    np.testing.assert_array_equal(found.is_first[1, :6], [True, False, False] * 2)
    np.testing.assert_array_equal(found.goals[0, :4], [10, 10, 11, 20])
    np.testing.assert_array_equal(found.goals[1, :6], [12, 12, 12, 21, 21, 21])
    rewards, later = exploration.rewards, exploitation.rewards + 100
    np.testing.assert_array_equal(
        found.transitions.rewards[0, :4], [*rewards[0, 0, :2], rewards[0, 1, 0], later[0, 0, 0]]
    )
    np.testing.assert_array_equal(found.transitions.rewards[1, :6], [*rewards[1, 0], *later[1, 0]])
