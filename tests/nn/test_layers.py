"""Linear layers, their drawing, the duelling head and the encoder of problem IDs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.envs import ProblemSet
from scoutrl.nn.heads import Duelling
from scoutrl.nn.linear import Linear, randomise
from scoutrl.nn.problem_encoder import ProblemEncoder


def same(a, b) -> bool:
    return bool(eqx.tree_equal(a, b))


def test_a_layer_multiplies_the_last_axis():
    layer = eqx.tree_at(lambda d: d.bias, randomise(Linear(3, 2), jax.random.key(0)), jnp.array([1.0, -1.0]))
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    expected = x @ np.asarray(layer.weight) + np.array([1, -1])
    whole, single = jax.jit(lambda x: (layer(x), layer(x[0, 0])))(x)
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    np.testing.assert_allclose(single, expected[0, 0], atol=1e-5)


def test_drawn_with_the_deviation_declared_and_biases_zero():
    layers = randomise([Linear(300, 200), Linear(300, 200, gain=1.0), Linear(300, 200, gain=0.1)], jax.random.key(0))  # type: ignore[type-var]
    layers = jax.tree.map(np.asarray, layers)
    for layer, gain in zip(layers, [2**0.5, 1.0, 0.1], strict=True):
        assert layer.weight.std() == pytest.approx(gain / 300**0.5, rel=0.02)
        assert layer.weight.mean() == pytest.approx(0, abs=5 * gain / 300**0.5 / 60000**0.5)
        assert not layer.bias.any()
    correlation = np.corrcoef(layers[0].weight.ravel(), layers[1].weight.ravel())[0, 1]
    assert abs(correlation) < 0.02


def test_drawn_by_the_key_alone():
    heads = [randomise(Duelling(4, 3), jax.random.key(seed)) for seed in (0, 0, 1)]
    assert same(heads[0], heads[1])
    assert not same(heads[0], heads[2])


def test_what_is_not_an_array_stays():
    encoder = ProblemEncoder(ProblemSet([0, 1, 2], [0], [1]), 4)
    assert jax.tree.structure(randomise(encoder, jax.random.key(0))) == jax.tree.structure(encoder)


def test_duelling_takes_the_mean_over_the_actions_of_each_state():
    head = randomise(Duelling(4, 3), jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    value, advantage = (x @ np.asarray(layer.weight) for layer in (head.value, head.advantage))
    # A mean over the batch as well would let the values of one state depend on the others.
    expected = value + advantage - advantage.mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(eqx.filter_jit(head)(jnp.asarray(x)), expected, atol=1e-5)


def problems(ids) -> ProblemSet:
    return ProblemSet(ids, [0], [0])


def centred(table) -> np.ndarray:
    return np.asarray(table) - np.asarray(table).mean(axis=0)


def test_an_id_of_one_component_is_a_row_of_its_table_less_their_mean():
    encoder = randomise(ProblemEncoder(problems([0, 1, 2]), 4, scale=0.3), jax.random.key(0))
    table = centred(encoder.tables[0])
    batch, single = jax.jit(lambda: (encoder(jnp.array([[2], [0]])), encoder(jnp.array([1]))))()
    np.testing.assert_allclose(batch, table[[2, 0]], atol=1e-6)
    np.testing.assert_allclose(single, table[1], atol=1e-6)


def test_an_id_of_several_components_is_the_sum_of_their_rows():
    encoder = randomise(ProblemEncoder(problems([[1, 4, 0], [2, 1, 6]]), 5), jax.random.key(0))
    assert [table.shape for table in encoder.tables] == [(3, 5), (5, 5), (7, 5)]
    expected = sum(centred(table)[i] for table, i in zip(encoder.tables, [2, 3, 5], strict=True)) / 3**0.5
    found = eqx.filter_jit(encoder)(jnp.broadcast_to(jnp.array([2, 3, 5]), (2, 4, 3)))
    np.testing.assert_allclose(found, np.broadcast_to(expected, (2, 4, 5)), atol=1e-6)


def test_what_all_values_share_is_no_part_of_f():
    encoder = randomise(ProblemEncoder(problems([[1, 4], [2, 1]]), 5), jax.random.key(0))
    shifted = eqx.tree_at(lambda e: e.tables, encoder, [table + 3.0 for table in encoder.tables])
    ids = jnp.array([[1, 4], [2, 1]])
    np.testing.assert_allclose(shifted(ids), encoder(ids), atol=1e-5)
    np.testing.assert_allclose(encoder(jnp.array([[i, j] for i in range(3) for j in range(5)])).mean(0), 0, atol=1e-6)


def test_the_deviation_of_f_is_the_scale_for_any_number_of_components():
    for ids in ([[199]], [[199, 199, 199, 199]]):
        encoder = randomise(ProblemEncoder(problems(ids), 50, scale=0.3), jax.random.key(0))
        every = np.tile(np.arange(200)[:, None], (1, len(ids[0])))
        assert np.asarray(eqx.filter_jit(encoder)(jnp.asarray(every))).std() == pytest.approx(0.3, rel=0.03)


def test_an_id_of_real_numbers_goes_through_a_hidden_layer():
    encoder = randomise(ProblemEncoder(problems([[0.5, -1.0], [2.0, 0.1]]), 4, scale=0.3), jax.random.key(0))
    first, second = encoder.layers
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    expected = np.maximum(x @ np.asarray(first.weight), 0) @ np.asarray(second.weight)
    batch, single = jax.jit(lambda x: (encoder(x), encoder(x[0])))(x)
    np.testing.assert_allclose(batch, expected, atol=1e-5)
    np.testing.assert_allclose(single, expected[0], atol=1e-5)
    assert not encoder.tables
