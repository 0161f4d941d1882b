"""A belief is a product of Gaussians: against the formulas, in any order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.nn.gaussian import Belief, Factor, Inference
from scoutrl.nn.init import generator
from scoutrl.nn.recurrent import TransitionFeatures


@pytest.fixture(scope="module")
def inference() -> Inference:
    return Inference(3, 2, 8, 4, generator(jax.random.key(0)))


@pytest.fixture(scope="module")
def transitions() -> TransitionFeatures:
    draw = np.random.default_rng(0).normal
    return TransitionFeatures(*(jnp.asarray(draw(size=(5, *shape)), jnp.float32) for shape in [(3,), (2,), (), (3,)]))


def test_two_factors_and_the_prior():
    """Factors N(1, 1/2) and N(-2, 1) times N(0, 1): precision 2 + 1 + 1, mean (2 * 1 - 2) / 4."""
    belief = (Factor(jnp.array([2.0]), jnp.array([2.0])) * Factor(jnp.array([1.0]), jnp.array([-2.0]))).belief()
    np.testing.assert_allclose([belief.mean[0], belief.variance[0]], [0, 0.25])


def test_nothing_leaves_the_prior(inference):
    belief = inference.nothing().belief()
    np.testing.assert_array_equal(belief.mean, 0)
    np.testing.assert_array_equal(belief.variance, 1)
    assert belief.kl() == 0


def test_kl_by_numbers():
    """½ (σ² + m² - 1 - log σ²), component by component."""
    kl = Belief(jnp.array([1.0, 0.0]), jnp.array([1.0, 0.5])).kl()
    assert kl == pytest.approx(0.5 + 0.5 * (0.5 - 1 + np.log(2)))


def test_order_is_no_matter_and_masked_steps_are_none(inference, transitions):
    factors = inference(transitions)
    mask = jnp.array([True, True, False, True, False])
    belief = factors.product(mask).belief()
    backwards = jax.tree.map(lambda x: x[::-1], factors).product(mask[::-1]).belief()
    one_by_one = inference.nothing()
    for i in (3, 0, 1):
        one_by_one = one_by_one * inference(jax.tree.map(lambda x, i=i: x[i], transitions))
    for other in (backwards, one_by_one.belief()):
        np.testing.assert_allclose(belief.mean, other.mean, atol=1e-5)
        np.testing.assert_allclose(belief.variance, other.variance, atol=1e-5)
    assert (factors.precision > 0).all()


def test_draws_have_mean_and_variance_of_the_belief():
    belief = Belief(jnp.array([1.0, -2.0]), jnp.array([0.25, 1.0]))
    draws = np.asarray(jax.vmap(belief.draw)(jax.random.split(jax.random.key(0), 4000)))
    np.testing.assert_allclose(draws.mean(axis=0), [1, -2], atol=4 / 4000**0.5)
    np.testing.assert_allclose(draws.var(axis=0), [0.25, 1], rtol=4 * (2 / 4000) ** 0.5)
