import dataclasses

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoutrl.trials.sequences import life, tape
from scoutrl.trials.trial import Episodes, Trial

TIME = 3

lay = jax.jit(tape)


def episodes(lengths: list[list[int]]) -> Episodes:
    """Episodes of the given lengths [batch][episode]; all that happens in them has a number of its own."""
    mask = np.arange(TIME) < np.array(lengths)[..., None]
    batch, count = mask.shape[:2]
    number = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
    # The observation after a step is not the one before the next episode's first.
    seen = np.arange(batch * count * (TIME + 1), dtype=np.float32).reshape(batch, count, TIME + 1)
    pairs = np.stack([seen, -seen], axis=-1)
    return Episodes(pairs, number.astype(np.int32), number / 8, np.zeros_like(mask), mask, None)  # type: ignore[arg-type]


def test_one_episode_stays_as_it_is():
    given = episodes([[2], [3]])
    found = lay(given)
    np.testing.assert_array_equal(found.before, given.observations[:, 0, :-1])
    np.testing.assert_array_equal(found.after, given.observations[:, 0, 1:])
    for name in ("actions", "rewards", "mask"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name)[:, 0])
    np.testing.assert_array_equal(found.prefixes, [[True, True, True, False], [True] * 4])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, TIME), min_size=3, max_size=3), min_size=2, max_size=2))
def test_lived_steps_of_all_episodes_come_first_in_the_order_lived(lengths):
    given = episodes(lengths)
    found = jax.tree.map(np.asarray, lay(given))
    for row, one in enumerate(lengths):
        lived, total = given.mask[row], sum(one)
        assert found.mask[row].tolist() == [True] * total + [False] * (3 * TIME - total)
        np.testing.assert_array_equal(found.actions[row, :total], given.actions[row][lived])
        np.testing.assert_array_equal(found.rewards[row, :total], given.rewards[row][lived])
        np.testing.assert_array_equal(found.before[row, :total], given.observations[row, :, :-1][lived])
        np.testing.assert_array_equal(found.after[row, :total], given.observations[row, :, 1:][lived])
        # Nothing is lost or doubled.
        assert sorted(found.actions[row]) == sorted(given.actions[row].ravel())


@pytest.mark.parametrize("lengths", [[[0], [1], [3]], [[0, 0], [2, 1], [3, 3]]])
def test_the_last_prefix_is_that_of_all_that_was_lived(lengths):
    laid = lay(episodes(lengths))
    steps = laid.mask.shape[1] + 1
    x = np.arange(3 * steps * 2, dtype=np.float32).reshape(3, steps, 2)
    found = jax.jit(type(laid).last)(laid, x)
    np.testing.assert_array_equal(found, [x[row, sum(one)] for row, one in enumerate(lengths)])


def test_a_life_is_both_phases_in_the_order_lived():
    exploration, exploitation = episodes([[2, 1], [3, 0]]), episodes([[1], [3]])
    goals = [np.array([[10, 11], [12, 13]]), np.array([[20], [21]])]
    trial = Trial(
        np.zeros((2, 1)),  # type: ignore[arg-type]
        dataclasses.replace(exploration, goals=goals[0]),
        dataclasses.replace(exploitation, goals=goals[1], rewards=exploitation.rewards + 100),
    )
    found = jax.tree.map(np.asarray, jax.jit(life)(trial))
    assert found.tape.mask.tolist() == [[True] * 4 + [False] * 5, [True] * 6 + [False] * 3]
    np.testing.assert_array_equal(found.exploiting[0, :4], [False, False, False, True])
    np.testing.assert_array_equal(found.exploiting[1, :6], [False] * 3 + [True] * 3)
    np.testing.assert_array_equal(found.starts[0, :4], [True, False, True, True])
    np.testing.assert_array_equal(found.starts[1, :6], [True, False, False] * 2)
    np.testing.assert_array_equal(found.goals[0, :4], [10, 10, 11, 20])
    np.testing.assert_array_equal(found.goals[1, :6], [12, 12, 12, 21, 21, 21])
    rewards, later = exploration.rewards, exploitation.rewards + 100
    np.testing.assert_array_equal(found.tape.rewards[0, :4], [*rewards[0, 0, :2], rewards[0, 1, 0], later[0, 0, 0]])
    np.testing.assert_array_equal(found.tape.rewards[1, :6], [*rewards[1, 0], *later[1, 0]])
