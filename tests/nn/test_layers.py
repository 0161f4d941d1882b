"""Linear layers and the encoder of problem IDs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.nn.init import Rng, generator
from scoutrl.nn.linear import Linear
from scoutrl.nn.problem_encoder import ProblemEncoder


def rng(seed: int = 0) -> Rng:
    return generator(jax.random.key(seed))


def centred(table) -> np.ndarray:
    return np.asarray(table) - np.asarray(table).mean(axis=0)


def test_a_layer_multiplies_the_last_axis():
    layer = eqx.tree_at(lambda d: d.bias, Linear(3, 2, rng()), jnp.array([1.0, -1.0]))
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    expected = x @ np.asarray(layer.weight) + np.array([1, -1])
    whole, single = jax.jit(lambda x: (layer(x), layer(x[0, 0])))(x)
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    np.testing.assert_allclose(single, expected[0, 0], atol=1e-5)


def test_an_id_of_one_component_is_a_row_of_its_table_less_their_mean():
    encoder = ProblemEncoder((3,), 1, 4, rng(), scale=0.3)
    table = centred(encoder.tables[0])
    batch, single = jax.jit(lambda: (encoder(jnp.array([[2], [0]])), encoder(jnp.array([1]))))()
    np.testing.assert_allclose(batch, table[[2, 0]], atol=1e-6)
    np.testing.assert_allclose(single, table[1], atol=1e-6)


def test_an_id_of_several_components_is_the_sum_of_their_rows():
    encoder = ProblemEncoder((3, 5, 7), 3, 5, rng())
    assert [table.shape for table in encoder.tables] == [(3, 5), (5, 5), (7, 5)]
    expected = sum(centred(table)[i] for table, i in zip(encoder.tables, [2, 3, 5], strict=True)) / 3**0.5
    found = eqx.filter_jit(encoder)(jnp.broadcast_to(jnp.array([2, 3, 5]), (2, 4, 3)))
    np.testing.assert_allclose(found, np.broadcast_to(expected, (2, 4, 5)), atol=1e-6)


def test_what_all_values_share_is_no_part_of_f():
    encoder = ProblemEncoder((3, 5), 2, 5, rng())
    shifted = eqx.tree_at(lambda e: e.tables, encoder, [table + 3.0 for table in encoder.tables])
    ids = jnp.array([[1, 4], [2, 1]])
    np.testing.assert_allclose(shifted(ids), encoder(ids), atol=1e-5)
    np.testing.assert_allclose(encoder(jnp.array([[i, j] for i in range(3) for j in range(5)])).mean(0), 0, atol=1e-6)


def test_an_id_of_real_numbers_goes_through_a_hidden_layer():
    encoder = ProblemEncoder(None, 2, 4, rng(), scale=0.3)
    assert encoder.hidden is not None
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    expected = np.maximum(x @ np.asarray(encoder.hidden.weight), 0) @ np.asarray(encoder.out)
    batch, single = jax.jit(lambda x: (encoder(x), encoder(x[0])))(x)
    np.testing.assert_allclose(batch, expected, atol=1e-5)
    np.testing.assert_allclose(single, expected[0], atol=1e-5)
    assert not encoder.tables


def test_the_mean_over_the_training_problems_is_taken_off_real_ids_as_well():
    known = np.random.default_rng(0).normal(2, 1, size=(300, 2)).astype(np.float32)
    plain, centred = ProblemEncoder(None, 2, 4, rng()), ProblemEncoder(None, 2, 4, rng(), known=known)
    # Every second one is enough where there are more than 256.
    np.testing.assert_allclose(centred(jnp.asarray(known[::2])).mean(axis=0), 0, atol=1e-5)
    x = jnp.asarray(known[:3])
    np.testing.assert_allclose(centred(x) - centred(x[::-1]), plain(x) - plain(x[::-1]), atol=1e-5)
