import typing

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from nn.cells import BATCH, HIDDEN, TIME, drawn, numbers, steps_and_scan

from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.init import generator
from scoutrl.nn.recurrent import History, TransitionFeatures

RNG = generator(jax.random.key(0))
CELLS = pytest.mark.parametrize("cell", typing.get_args(MemoryCell))


@pytest.fixture(autouse=True)
def _float64():
    """In double precision two ways to sum agree to twelve digits, and mistakes do not."""
    with jax.enable_x64(True):
        yield


def transitions(time):
    """Random transitions [BATCH, time] whose first ones are the same for any `time`."""
    parts = (numbers(BATCH, TIME, size, seed=size + 1) for size in (2, 3, 1, 2))
    before, action, reward, after = (np.asarray(part)[:, :time] for part in parts)
    return TransitionFeatures(*map(jnp.asarray, (before, action, reward[..., 0], after)))


@pytest.mark.slow
@CELLS
def test_a_history_on_every_prefix_is_the_history_of_that_prefix(cell):
    history = drawn(History(observation=2, action=3, width=4, hidden=HIDDEN, cell=cell, rng=RNG))
    steps, scanned = map(np.asarray, steps_and_scan(history, transitions(TIME)))
    np.testing.assert_allclose(scanned, steps, atol=1e-13)
    _, prefix = map(np.asarray, steps_and_scan(history, transitions(2)))
    np.testing.assert_allclose(prefix, scanned[:, :3], atol=1e-13)
    assert not scanned[:, 0].any()


@CELLS
def test_every_part_of_a_transition_is_remembered(cell):
    history = drawn(History(observation=2, action=3, width=4, hidden=HIDDEN, cell=cell, rng=RNG))
    step = jax.jit(lambda transition: history.step(history.initial(), transition))
    one = TransitionFeatures(np.ones(2), np.ones(3), np.ones(()), np.zeros(2))  # type: ignore[arg-type]
    for part in ("before", "action", "reward", "after"):
        other = eqx.tree_at(lambda t, part=part: getattr(t, part), one, replace_fn=lambda x: x + 1)
        assert np.abs(np.asarray(step(one)) - np.asarray(step(other))).max() > 1e-3, part
