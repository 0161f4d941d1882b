import jax
import jax.numpy as jnp
import numpy as np

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


def test_y_grows_upwards():
    state, (_, after) = pictures("bus", 1)
    row = (8 - 5) * 24 + 12
    assert is_colour(after[row, 4 * 24 + 12], RED)
    x, y = np.asarray(state.goal)
    assert is_colour(after[(8 - y) * 24 + 4, x * 24 + 12], GREEN)
