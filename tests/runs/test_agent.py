"""The part of a checkpoint that is an agent, for every algorithm."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from probes.rooms import Rooms

from scoutrl.algorithms.registry import algorithms
from scoutrl.runs.agent import agent_like, trained_agent
from scoutrl.runs.arrays import from_arrays, to_arrays
from scoutrl.runs.config import make_algorithm, resolve
from scoutrl.training.state import state_like


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", algorithms())
def test_an_agent_comes_back_from_its_arrays(algorithm):
    made, env = (
        make_algorithm(resolve(algorithm, "probes.rooms:Rooms", sets=["capacity=64", "trials_per_iteration=64"])),
        Rooms(),
    )
    state = jax.tree.map(
        lambda x: jnp.full(x.shape, 3, x.dtype) if isinstance(x, jax.ShapeDtypeStruct) else x,
        state_like(env, made).algorithm,
    )
    trained = trained_agent(made, env, state)
    again = from_arrays(to_arrays(trained), agent_like(made, env))
    assert eqx.tree_equal(again, trained, typematch=True)
