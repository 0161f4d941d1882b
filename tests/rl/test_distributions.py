import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Discrete, MultiDiscrete
from scipy.stats import norm

from scoutrl.rl.actions import NEVER, Components
from scoutrl.rl.distributions import Categorical, CensoredGaussian

N = 20_000
KEYS = jax.random.split(jax.random.key(0), N)


def test_categorical():
    shares = np.array([0.5, 0.3, 0.2])
    said = Categorical(jnp.log(jnp.asarray([shares])) + 7, Components.of(Discrete(3)))
    np.testing.assert_allclose(jax.vmap(said.log_probability)(jnp.arange(3)), np.log(shares), rtol=1e-5)
    assert said.mode() == 0
    assert said.entropy() == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-5)
    drawn = np.bincount(jax.vmap(said.sample)(KEYS), minlength=3) / N
    np.testing.assert_allclose(drawn, shares, atol=4 * (0.25 / N) ** 0.5)


def test_several_numbers_at_once_are_independent():
    """Shares 1/4, 3/4 of the first number and 1/2, 1/3, 1/6 of the second."""
    shares = [np.array([1 / 4, 3 / 4]), np.array([1 / 2, 1 / 3, 1 / 6])]
    logits = jnp.array([[*np.log(shares[0]), NEVER], np.log(shares[1]) - 5], jnp.float32)
    said = Categorical(logits, Components.of(MultiDiscrete([2, 3])))
    joint = np.outer(*shares)
    every = jnp.array(list(np.ndindex(2, 3)))
    np.testing.assert_allclose(jax.vmap(said.log_probability)(every), np.log(joint).ravel(), rtol=1e-5)
    assert said.mode().tolist() == [1, 0]
    assert said.entropy() == pytest.approx(-(joint * np.log(joint)).sum(), rel=1e-5)
    drawn = np.asarray(jax.vmap(said.sample)(KEYS))
    counts = np.zeros((2, 3))
    np.add.at(counts, (drawn[:, 0], drawn[:, 1]), 1)
    np.testing.assert_allclose(counts / N, joint, atol=4 * (0.25 / N) ** 0.5)


def test_what_a_component_cannot_choose_has_no_slope():
    def entropy(logits):
        logits = jnp.where(jnp.array([[True, True, False], [True] * 3]), logits, NEVER)
        said = Categorical(logits, Components.of(MultiDiscrete([2, 3])))
        return said.entropy() + said.log_probability(jnp.array([1, 2]))

    slope = np.asarray(jax.grad(entropy)(jnp.array([[0.0, 1.0, 9.0], [0.5, 0.0, -1.0]])))
    assert np.isfinite(slope).all()
    assert (slope == 0).tolist() == [[False, False, True], [False] * 3]


@pytest.mark.slow
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


@pytest.mark.slow
def test_slopes_are_finite_far_out():
    def log_probability(mean):
        return CensoredGaussian(mean, jnp.array([0.1]), (-1.0,), (1.0,)).log_probability(jnp.array([1.0]))

    for mean in (-3.0, 0.0, 5.0):
        assert np.isfinite(jax.grad(log_probability)(jnp.array([mean]))).all()


@pytest.mark.slow
def test_a_gaussian_in_a_box_stands_for_many_states_at_once():
    mean = jnp.array([[0.5, -3.0], [0.0, 3.0], [2.0, 0.0]])
    said = CensoredGaussian(mean, jnp.ones_like(mean), (-1.0, -2.0), (1.0, 2.0))
    np.testing.assert_allclose(said.mode(), [[0.5, -2], [0, 2], [1, 0]])
    drawn = said.sample(KEYS[0])
    alone = jax.vmap(lambda mean: CensoredGaussian(mean, jnp.ones(2), said.low, said.high).log_probability(mean))
    assert drawn.shape == mean.shape
    np.testing.assert_allclose(said.log_probability(said.mean), alone(mean), rtol=1e-6)
