"""Discrete and MultiDiscrete spaces as components."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from scoutrl.rl.actions import Bins, Components, chosen, random_action


def test_components_of_spaces():
    one, several = Components.of(Discrete(4)), Components.of(MultiDiscrete([2, 4, 3]))
    assert (one.sizes, one.most, one.shape) == ((4,), 4, ())
    assert (several.sizes, several.most, several.shape) == ((2, 4, 3), 4, (3,))
    assert one.valid.tolist() == [[True] * 4]
    assert several.valid.tolist() == [[True, True, False, False], [True] * 4, [True, True, True, False]]


def test_actions_are_split_and_joined_with_any_leading_axes():
    one, several = Components.of(Discrete(4)), Components.of(MultiDiscrete([2, 4]))
    for components, action, shape in [
        (one, jnp.int32(3), (1,)),
        (one, jnp.arange(6).reshape(2, 3), (2, 3, 1)),
        (several, jnp.array([1, 3]), (2,)),
        (several, jnp.zeros((5, 2), int), (5, 2)),
    ]:
        split = components.split(action)
        assert split.shape == shape
        np.testing.assert_array_equal(components.join(split), action)


def test_q_is_the_mean_of_the_utilities_chosen():
    q = jnp.array([[[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]]])
    assert chosen(q, jnp.array([[2, 0]])).tolist() == [7.0]
    np.testing.assert_allclose(jax.grad(lambda q: chosen(q, jnp.array([[2, 0]]))[0])(q), [[[0, 0, 0.5], [0.5, 0, 0]]])


@pytest.mark.parametrize(
    "space",
    [Discrete(5), MultiDiscrete([2, 5, 3]), Box(np.array([-1, 0]), np.array([1, 9]), dtype=np.float32)],
    ids=str,
)
def test_random_actions_lie_in_their_space_and_are_all_as_likely(space):
    draw = jax.jit(jax.vmap(lambda key: random_action(space, key)))
    drawn = np.asarray(draw(jax.random.split(jax.random.key(0), 3000)))
    assert drawn.shape == (3000, *space.shape)
    drawn, whole = drawn.reshape(3000, -1), not isinstance(space, Box)
    low, high = (0, np.array(Components.of(space).sizes) - 1) if whole else (space.low, space.high)
    assert (drawn >= low).all()
    assert (drawn <= high).all()
    span = high - low + whole
    np.testing.assert_allclose((drawn - low).mean(axis=0), (high - low) / 2, atol=0.02 * span.max())
    np.testing.assert_allclose(drawn.var(axis=0), (span**2 - whole) / 12, rtol=0.1)


@pytest.mark.slow
def test_bins_of_a_box_are_evenly_spaced_numbers_with_the_bounds_among_them():
    bins = Bins.of(Box(np.array([-1, 2], np.float32), np.array([3, 2], np.float32)), 5)
    assert bins.sizes == (5, 5)
    choices = jnp.stack([jnp.arange(5), jnp.arange(5)], axis=-1)
    # A coordinate whose bounds are one has that number in all bins.
    np.testing.assert_array_equal(bins.join(choices), [[-1, 2], [0, 2], [1, 2], [2, 2], [3, 2]])
    assert bins.split(jnp.array([[[-1.0, 2.0], [0.4, 2.0], [0.6, 2.0], [3.0, 2.0]]]))[..., 0].tolist() == [[0, 1, 2, 4]]
    many = Bins.of(Box(-0.3, 0.7, (1,)), 7)
    assert many.split(many.join(jnp.arange(7)[:, None]))[:, 0].tolist() == list(range(7))
