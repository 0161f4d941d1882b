import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Discrete

from scoutrl.envs import registry
from scoutrl.envs.draw import GREEN, RED


def pictures(name, *actions):
    """The pictures of an episode, one before each action and one at the end."""
    env = registry.make(name)
    state, _ = env.reset(jnp.asarray(env.problems.ids[:6][-1]), jax.random.key(0))
    render, step = jax.jit(lambda s: env.render(s)), jax.jit(lambda s, a: env.step(s, a, jax.random.key(0))[0])
    shown = [np.asarray(render(state))]
    for action in actions:
        state = step(state, jnp.int32(action))
        shown.append(np.asarray(render(state)))
    return state, shown


def is_colour(pixel, colour):
    return np.abs(pixel / 255 - colour).max() < 0.01


def test_pictures_have_even_sides_and_change(family):
    _, (before, after) = pictures(family, 0)
    assert before.dtype == np.uint8
    assert before.ndim == 3
    assert before.shape[2] == 3
    # Video encoders want even sides.
    assert before.shape[0] % 2 == 0
    assert before.shape[1] % 2 == 0
    assert (before != after).any()


@pytest.mark.slow
def test_y_grows_upwards():
    state, (_, after) = pictures("bus", 1)
    row = (8 - 5) * 24 + 12
    assert is_colour(after[row, 4 * 24 + 12], RED)
    x, y = np.asarray(state.goal)
    assert is_colour(after[(8 - y) * 24 + 4, x * 24 + 12], GREEN)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["map", "cooking", "lever", "sign"])
def test_only_the_goal_is_left_out(family):
    """Without the goal the pictures of all goals are alike; with it they are those of `render`, and differ."""
    env = registry.make(family)
    # Compiled, what is observed is not drawn at all.
    start = jax.jit(lambda key: env.reset(jnp.asarray(env.problems.ids[1]), key)[0])
    states = [start(jax.random.key(seed)) for seed in range(6)]
    if env.spaces.goal is not None:
        states = [dataclasses.replace(states[0], goal=state.goal) for state in states]
    else:
        states = states[:1]
    draw = jax.jit(lambda state, goal: env.picture(state, goal), static_argnums=1)
    without, shown = ([np.asarray(draw(state, goal)) for state in states] for goal in (False, True))
    assert all((picture == without[0]).all() for picture in without)
    np.testing.assert_array_equal(shown[0], np.asarray(jax.jit(lambda state: env.render(state))(states[0])))
    has_goals = env.spaces.goal is not None
    assert any((picture != shown[0]).any() for picture in shown) == has_goals
    assert (shown[0] != without[0]).any() == has_goals


@pytest.mark.parametrize("family", ["map", "distracting-bus", "cooking", "lever", "sign"])
def test_families_are_described_in_words(family):
    env = registry.make(family)
    words = env.describe()
    assert isinstance(env.spaces.action, Discrete)
    assert len(words.actions) == env.spaces.action.n
    assert len({one.meaning for one in words.legend}) == len(words.legend) > 2
    assert all(one.picture.dtype == np.uint8 and one.picture.ndim == 3 for one in words.legend)
    if env.spaces.goal is not None:
        assert any(letter.isalpha() for letter in words.goal(np.zeros(env.spaces.goal.shape or (), np.int32)))


def test_the_sign_can_be_read_beside_the_frame():
    words = registry.make("sign").describe()
    assert words.beside is not None
    assert words.problem is not None
    assert words.problem(np.array([2])) == "the sign says GREEN"
    signs = [words.beside(np.array([colour])) for colour in range(3)]
    assert [sign.shape[1] // 64 for sign in signs] == [4, 3, 5]
    assert all((sign < 100).mean() > 0.02 for sign in signs)
