"""How fresh networks are drawn: on the host, by the key alone, with the deviations declared."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms

from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.off_policy import LossAux
from scoutrl.nn.init import Rng, generator, jax_key, normal, zeros
from scoutrl.nn.linear import Linear
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.training.state import start


def rng(seed: int = 0) -> Rng:
    return generator(jax.random.key(seed))


class Mixed(eqx.Module):
    """A network with layers of Scout and of Equinox."""

    first: Linear
    norm: eqx.nn.LayerNorm
    last: eqx.nn.Linear
    activation: Any = jax.nn.relu

    def __init__(self, rng: Rng):
        self.first, self.norm = Linear(5, 8, rng), eqx.nn.LayerNorm(8)
        self.last = eqx.nn.Linear(8, 3, key=jax_key(rng))

    def __call__(self, x):
        return self.last(self.activation(self.norm(self.first(x))))


class Learner(GradientAlgorithm):
    """Draws the network, and learns nothing with it."""

    def networks(self, spec, rng):
        return Mixed(rng)

    def loss(self, networks, state, batch, key):
        return jnp.float32(0), LossAux({})

    def agent(self, spec, state):
        raise NotImplementedError

    def collector(self, spec, state, problem, key):
        raise NotImplementedError


@pytest.mark.parametrize(
    "draw",
    [
        lambda key: Linear(2, 3, generator(key)).weight,
        lambda key: Learner().init(Rooms(), key).networks.first.weight,
    ],
    ids=["a layer", "an algorithm"],
)
def test_a_traced_key_is_refused(draw):
    keys = jax.random.split(jax.random.key(0), 2)
    for traced in (
        lambda: jax.jit(draw)(keys[0]),
        lambda: jax.vmap(draw)(keys),
        lambda: jax.lax.scan(lambda carry, key: (carry, draw(key)), 0, keys),
    ):
        with pytest.raises(TypeError, match="networks are drawn on the host: call init outside of jit, vmap and scan"):
            traced()


def test_the_same_key_draws_the_same_weights():
    for make in (lambda rng: Linear(4, 3, rng), lambda rng: ProblemEncoder((3, 5), 2, 4, rng), Mixed):
        first, again, other = make(rng()), make(rng()), make(rng(1))
        assert eqx.tree_equal(first, again)
        assert not eqx.tree_equal(first, other)
        assert jax.tree.structure(first) == jax.tree.structure(other)


def test_old_and_new_keys_are_both_taken():
    np.testing.assert_array_equal(normal(rng(3), (4,), 1), normal(generator(jax.random.PRNGKey(3)), (4,), 1))


def test_one_network_after_the_other_is_another_one():
    draws = rng()
    assert not eqx.tree_equal(Linear(4, 3, draws), Linear(4, 3, draws))
    assert jax.random.key_data(jax_key(draws)).tolist() != jax.random.key_data(jax_key(draws)).tolist()


def test_layers_of_other_libraries_keep_their_own_beginning():
    algorithm = Learner(trials_per_iteration=2, batch_size=2, capacity=4)
    state = start(Rooms(), algorithm, 0).algorithm
    for network in (Mixed(rng()), state.networks, state.targets):
        np.testing.assert_array_equal(network.norm.weight, np.ones(8))
        np.testing.assert_array_equal(network.norm.bias, np.zeros(8))
        assert np.abs(network.last.weight).max() <= 8**-0.5
        assert network.activation is jax.nn.relu
    assert eqx.tree_equal(state.networks, start(Rooms(), algorithm, 0).algorithm.networks)
    assert not eqx.tree_equal(state.networks, start(Rooms(), algorithm, 1).algorithm.networks)


def test_numbers_are_normal_with_the_deviation_asked_for():
    drawn = np.asarray(normal(rng(), (300, 200), 0.7))
    assert drawn.dtype == np.float32
    assert drawn.mean() == pytest.approx(0, abs=5 * 0.7 / 60000**0.5)
    assert drawn.std() == pytest.approx(0.7, rel=0.02)
    assert (drawn**4).mean() / drawn.var() ** 2 == pytest.approx(3, rel=0.05)
    np.testing.assert_array_equal(zeros(2, 3), np.zeros((2, 3), np.float32))


def test_layers_have_the_deviation_declared_and_biases_zero():
    draws = rng()
    layers = [Linear(300, 200, draws), Linear(300, 200, draws, gain=1.0), Linear(300, 200, draws, gain=0.1)]
    layers = jax.tree.map(np.asarray, layers)
    for layer, gain in zip(layers, [2**0.5, 1.0, 0.1], strict=True):
        assert layer.weight.std() == pytest.approx(gain / 300**0.5, rel=0.02)
        assert layer.weight.mean() == pytest.approx(0, abs=5 * gain / 300**0.5 / 60000**0.5)
        assert not layer.bias.any()
    correlation = np.corrcoef(layers[0].weight.ravel(), layers[1].weight.ravel())[0, 1]
    assert abs(correlation) < 0.02


def test_the_deviation_of_f_is_the_scale_for_any_number_of_components():
    for count in (1, 4):
        encoder = ProblemEncoder((200,) * count, count, 50, rng(), scale=0.3)
        every = np.tile(np.arange(200)[:, None], (1, count))
        assert np.asarray(eqx.filter_jit(encoder)(jnp.asarray(every))).std() == pytest.approx(0.3, rel=0.03)


def test_the_deviation_of_f_is_the_scale_for_real_ids_of_size_one():
    ids = np.random.default_rng(0).normal(size=(2000, 20)).astype(np.float32)
    encoder = ProblemEncoder(None, 20, 200, rng(), scale=0.3, width=500)
    assert np.asarray(encoder(jnp.asarray(ids))).std() == pytest.approx(0.3, rel=0.05)
