import jax
import jax.numpy as jnp
import numpy as np
import pytest
from nn.cells import BATCH, HIDDEN, SIZE, TIME, drawn, numbers, steps_and_scan

from scoutrl.nn.gru import Gru
from scoutrl.nn.init import generator

RNG = generator(jax.random.key(0))


@pytest.fixture(autouse=True)
def _float64():
    """In double precision two ways to sum agree to twelve digits, and mistakes do not."""
    with jax.enable_x64(True):
        yield


def plain_scan(gru, x):
    """h_1 … h_T of one sequence [time, size] by the equations, one product a gate, differentiated by JAX alone."""
    project, own = gru.project, gru.recurrence

    def step(h, x):
        r = jax.nn.sigmoid(x @ project.reset.weight + project.reset.bias + h @ own.reset)
        u = jax.nn.sigmoid(x @ project.update.weight + project.update.bias + h @ own.update)
        n = jnp.tanh(x @ project.new.weight + project.new.bias + r * (h @ own.new + own.bias))
        h = (1 - u) * n + u * h
        return h, h

    return jax.lax.scan(step, jnp.zeros(gru.hidden), x)[1]


@pytest.mark.slow
def test_scan_is_the_steps_one_by_one():
    gru, x = drawn(Gru(SIZE, HIDDEN, RNG)), numbers(BATCH, TIME, SIZE)
    steps, scanned = steps_and_scan(gru, x)
    assert scanned.shape == (BATCH, TIME + 1, HIDDEN)
    np.testing.assert_allclose(scanned, steps, atol=1e-13)
    np.testing.assert_allclose(scanned[0, 1:], jax.jit(plain_scan)(gru, x[0]), atol=1e-13)


@pytest.mark.slow
def test_the_gradient_is_that_of_the_plain_scan_also_under_vmap():
    grus = jax.tree.map(lambda *a: jnp.stack(a), *[drawn(Gru(SIZE, HIDDEN, RNG), seed) for seed in range(2)])
    x, weights = numbers(2, BATCH, TIME, SIZE), np.asarray(numbers(BATCH, TIME, HIDDEN, seed=2))

    def ours(gru, x):
        return (weights * jnp.sin(gru.scan(x)[:, 1:])).sum()

    def theirs(gru, x):
        return (weights * jnp.sin(jax.vmap(plain_scan, (None, 0))(gru, x))).sum()

    @jax.jit
    def gradients(grus, x):
        loop = [jax.grad(ours, (0, 1))(jax.tree.map(lambda a, i=i: a[i], grus), x[i]) for i in range(2)]
        together = jax.vmap(jax.grad(ours, (0, 1)))(grus, x)
        return jax.tree.map(lambda *a: jnp.stack(a), *loop), together, jax.vmap(jax.grad(theirs, (0, 1)))(grus, x)

    loop, together, expected = jax.tree.map(np.asarray, gradients(grus, x))
    assert all(np.abs(leaf).max() > 1e-3 for leaf in jax.tree.leaves(expected))
    for found in (loop, together):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), found, expected)


def test_a_fresh_unit_is_drawn_with_the_deviations_declared():
    gru = jax.tree.map(np.asarray, Gru(100, 200, RNG))
    for weight in (gru.recurrence.reset, gru.recurrence.update, gru.recurrence.new):
        assert weight.std() == pytest.approx(200**-0.5, rel=0.02)
    assert not np.array_equal(gru.recurrence.reset, gru.recurrence.update)
    assert not gru.recurrence.bias.any()
    assert gru.project.new.weight.std() == pytest.approx(100**-0.5, rel=0.03)
