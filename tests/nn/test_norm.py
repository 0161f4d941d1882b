import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.nn.norm import LayerNorm


@pytest.mark.slow
def test_vectors_have_mean_0_and_deviation_1():
    x = jnp.asarray(np.random.default_rng(0).normal(3, 5, size=(4, 7, 64)), jnp.float32)
    y = np.asarray(LayerNorm(64)(x))
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=-1), 1, atol=1e-3)
    assert np.isfinite(LayerNorm(3)(jnp.ones((2, 3)))).all()
