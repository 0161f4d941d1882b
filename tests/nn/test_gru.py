import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scoutrl.nn.gru import Gru
from scoutrl.nn.init import generator
from scoutrl.nn.recurrent import History, TransitionFeatures

BATCH, TIME, SIZE, HIDDEN = 3, 5, 4, 6
RNG = generator(jax.random.key(0))


@pytest.fixture(autouse=True)
def _float64():
    """In double precision two ways to sum agree to twelve digits, and mistakes do not."""
    with jax.enable_x64(True):
        yield


def drawn(network, seed=0):
    """Weights and biases, all random: a zero bias would hide a wrong gradient."""
    leaves, structure = jax.tree.flatten(network)
    random = np.random.default_rng(seed)
    return jax.tree.unflatten(structure, [jnp.asarray(0.7 * random.normal(size=leaf.shape)) for leaf in leaves])


def numbers(*shape, seed=1):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


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


@eqx.filter_jit
def steps_and_scan(memory, x):
    """h_0 … h_T by `step`, and by `scan`."""
    length = jax.tree.leaves(x)[0].shape[1]
    steps = [jnp.broadcast_to(memory.initial(), (BATCH, HIDDEN))]
    for t in range(length):
        steps.append(memory.step(steps[-1], jax.tree.map(lambda a, t=t: a[:, t], x)))
    return jnp.stack(steps, axis=1), memory.scan(x)


def test_scan_is_the_steps_one_by_one():
    gru, x = drawn(Gru(SIZE, HIDDEN, RNG)), numbers(BATCH, TIME, SIZE)
    steps, scanned = steps_and_scan(gru, x)
    assert scanned.shape == (BATCH, TIME + 1, HIDDEN)
    np.testing.assert_allclose(scanned, steps, atol=1e-13)
    np.testing.assert_allclose(scanned[0, 1:], jax.jit(plain_scan)(gru, x[0]), atol=1e-13)


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


def transitions(time):
    """Random transitions [BATCH, time] whose first ones are the same for any `time`."""
    parts = (numbers(BATCH, TIME, size, seed=size + 1) for size in (2, 3, 1, 2))
    before, action, reward, after = (np.asarray(part)[:, :time] for part in parts)
    return TransitionFeatures(*map(jnp.asarray, (before, action, reward[..., 0], after)))


def test_a_history_on_every_prefix_is_the_history_of_that_prefix():
    history = drawn(History(observation=2, action=3, width=4, hidden=HIDDEN, rng=RNG))
    steps, scanned = map(np.asarray, steps_and_scan(history, transitions(TIME)))
    np.testing.assert_allclose(scanned, steps, atol=1e-13)
    _, prefix = map(np.asarray, steps_and_scan(history, transitions(2)))
    np.testing.assert_allclose(prefix, scanned[:, :3], atol=1e-13)
    assert not scanned[:, 0].any()


def test_every_part_of_a_transition_is_remembered():
    history = drawn(History(observation=2, action=3, width=4, hidden=HIDDEN, rng=RNG))
    step = jax.jit(lambda transition: history.step(history.initial(), transition))
    one = TransitionFeatures(np.ones(2), np.ones(3), np.ones(()), np.zeros(2))  # type: ignore[arg-type]
    for part in ("before", "action", "reward", "after"):
        other = eqx.tree_at(lambda t, part=part: getattr(t, part), one, replace_fn=lambda x: x + 1)
        assert np.abs(np.asarray(step(one)) - np.asarray(step(other))).max() > 1e-3, part


def test_a_fresh_unit_is_drawn_with_the_deviations_declared():
    gru = jax.tree.map(np.asarray, Gru(100, 200, RNG))
    for weight in (gru.recurrence.reset, gru.recurrence.update, gru.recurrence.new):
        assert weight.std() == pytest.approx(200**-0.5, rel=0.02)
    assert not np.array_equal(gru.recurrence.reset, gru.recurrence.update)
    assert not gru.recurrence.bias.any()
    assert gru.project.new.weight.std() == pytest.approx(100**-0.5, rel=0.03)
