import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from scoutrl.rl.distributions import Categorical, CensoredGaussian

N = 20_000
KEYS = jax.random.split(jax.random.key(0), N)


def test_categorical():
    shares = np.array([0.5, 0.3, 0.2])
    said = Categorical(jnp.log(jnp.asarray(shares)) + 7)
    np.testing.assert_allclose(jax.vmap(said.log_probability)(jnp.arange(3)), np.log(shares), rtol=1e-5)
    assert said.mode() == 0
    assert said.entropy() == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-5)
    drawn = np.bincount(jax.vmap(said.sample)(KEYS), minlength=3) / N
    np.testing.assert_allclose(drawn, shares, atol=4 * (0.25 / N) ** 0.5)


def test_a_gaussian_in_a_box_puts_what_is_beyond_on_its_bounds():
    said = CensoredGaussian(jnp.array([0.5, -3.0]), jnp.array([1.0, 0.5]), (-1.0, -2.0), (1.0, 2.0))
    drawn = np.asarray(jax.vmap(said.sample)(KEYS))
    assert (drawn >= [-1, -2]).all()
    assert (drawn <= [1, 2]).all()
    np.testing.assert_allclose(said.mode(), [0.5, -2])
    tails = [norm.cdf(-1, 0.5, 1), norm.sf(1, 0.5, 1), norm.cdf(-2, -3, 0.5)]
    shares = [(drawn[:, 0] == -1).mean(), (drawn[:, 0] == 1).mean(), (drawn[:, 1] == -2).mean()]
    np.testing.assert_allclose(shares, tails, atol=4 * (0.25 / N) ** 0.5)
    for action, first in [(-1.0, np.log(tails[0])), (1.0, np.log(tails[1])), (0.2, norm.logpdf(0.2, 0.5, 1))]:
        found = said.log_probability(jnp.array([action, -2.0]))
        assert found == pytest.approx(first + np.log(tails[2]), rel=1e-4)
    assert said.entropy() == pytest.approx(norm.entropy(0, 1) + norm.entropy(0, 0.5), rel=1e-5)


def test_slopes_are_finite_far_out():
    def log_probability(mean):
        return CensoredGaussian(mean, jnp.array([0.1]), (-1.0,), (1.0,)).log_probability(jnp.array([1.0]))

    for mean in (-3.0, 0.0, 5.0):
        assert np.isfinite(jax.grad(log_probability)(jnp.array([mean]))).all()
