import jax
import jax.numpy as jnp
import numpy as np
import pytest
from nn.cells import BATCH, HIDDEN, SIZE, TIME, drawn, numbers, steps_and_scan

from scoutrl.nn.init import generator
from scoutrl.nn.min_gru import MinGru, associatively, in_order, linear_recurrence

RNG = generator(jax.random.key(0))


@pytest.fixture(autouse=True)
def _float64():
    """In double precision two ways to sum agree to twelve digits, and mistakes do not."""
    with jax.enable_x64(True):
        yield


def by_the_equations(unit, x):
    """h_0 … h_T of one sequence [time, size] in NumPy."""
    h, states = np.zeros(HIDDEN), [np.zeros(HIDDEN)]
    for now in np.asarray(x):
        u = 1 / (1 + np.exp(1 - now @ np.asarray(unit.update.weight) - np.asarray(unit.update.bias)))
        n = np.tanh(now @ np.asarray(unit.new.weight) + np.asarray(unit.new.bias))
        h = (1 - u) * h + u * n
        states.append(h)
    return np.stack(states)


def test_scan_is_the_steps_one_by_one():
    unit, x = drawn(MinGru(SIZE, HIDDEN, RNG)), numbers(BATCH, TIME, SIZE)
    steps, scanned = steps_and_scan(unit, x)
    assert scanned.shape == (BATCH, TIME + 1, HIDDEN)
    np.testing.assert_allclose(scanned, steps, atol=1e-13)
    np.testing.assert_allclose(scanned[0], by_the_equations(unit, x[0]), atol=1e-13)


@pytest.mark.parametrize("time", [1, 7])
def test_both_ways_to_compute_a_recurrence_and_its_gradient_agree(time):
    keep, add = jax.nn.sigmoid(numbers(time, BATCH, HIDDEN)), numbers(time, BATCH, HIDDEN, seed=2)
    weights = numbers(time, BATCH, HIDDEN, seed=3)

    def of(recurrence):
        return jax.jit(jax.value_and_grad(lambda *given: (weights * jnp.sin(recurrence(*given))).sum(), (0, 1)))

    expected = of(in_order)(keep, add)  # differentiated by JAX
    assert np.abs(np.asarray(expected[1][1])).max() > 1e-3
    for found in (of(associatively)(keep, add), of(linear_recurrence)(keep, add)):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), found, expected)


def test_an_accelerator_computes_the_same(monkeypatch):
    keep, add = jax.nn.sigmoid(numbers(TIME, BATCH, HIDDEN)), numbers(TIME, BATCH, HIDDEN, seed=2)
    here = linear_recurrence(keep, add)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    np.testing.assert_allclose(linear_recurrence(keep, add), here, atol=1e-13)


def test_the_gradient_is_the_same_under_vmap():
    keep, add = jax.nn.sigmoid(numbers(2, TIME, BATCH, HIDDEN)), numbers(2, TIME, BATCH, HIDDEN, seed=2)
    gradient = jax.jit(jax.grad(lambda *given: jnp.sin(linear_recurrence(*given)).sum(), (0, 1)))
    together = jax.vmap(gradient)(keep, add)
    for i in range(2):
        alone = gradient(keep[i], add[i])
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, atol=1e-13), together, alone)


def test_a_fresh_unit_keeps_most_of_its_state():
    unit = MinGru(SIZE, HIDDEN, RNG)
    after = unit.step(jnp.ones(HIDDEN), jnp.zeros(SIZE))
    np.testing.assert_allclose(after, 1 / (1 + np.exp(-1)), rtol=1e-6)
