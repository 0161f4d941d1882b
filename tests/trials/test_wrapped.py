import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.trials.wrapped import alike, switch

ONE = {"weights": jnp.arange(3.0), "random": 0.0, "relu": jax.nn.relu, "lambda": 0.8}
OTHER = {"weights": -jnp.arange(3.0), "random": jnp.float32(0.5), "relu": jax.nn.relu, "lambda": 0.8}


def test_a_number_says_which_of_two_trees_it_is():
    chosen = jax.jit(lambda first: {k: v for k, v in switch(first, ONE, OTHER).items() if k != "relu"})
    for first, tree in ((True, ONE), (False, OTHER)):
        found = chosen(jnp.bool_(first))
        np.testing.assert_array_equal(found["weights"], tree["weights"])
        assert found["random"] == tree["random"]


def test_what_both_share_stays_a_constant():
    assert isinstance(switch(jnp.bool_(True), ONE, OTHER)["lambda"], float)


def test_trees_are_alike_but_for_numbers():
    assert alike(ONE, OTHER)
    assert alike(ONE, jax.eval_shape(lambda: {**OTHER, "relu": 0.0}) | {"relu": jax.nn.relu})
    for changes in (
        {"weights": jnp.arange(4.0)},
        {"lambda": 0.9},
        {"relu": jax.nn.tanh},
        {"weights": jnp.arange(3)},
        {"more": 1.0},
    ):
        assert not alike(ONE, OTHER | changes)
