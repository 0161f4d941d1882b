import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import small
from probes.rooms import Rooms
from probes.tabular import Tabular
from training.inline import chunk, iterate

from scoutrl.envs.lever import Lever
from scoutrl.errors import ScoutError
from scoutrl.runs.arrays import to_arrays
from scoutrl.training.state import from_parts, start, to_parts
from scoutrl.trials.sampler import DeviceSampler

ENV, ALGORITHM = Lever(4), Tabular(trials_per_iteration=2)
SAMPLER = DeviceSampler(ENV)

two_iterations = eqx.filter_jit(lambda state: chunk(SAMPLER, ALGORITHM, 2, state))


@pytest.fixture(scope="module")
def fresh():
    return start(ENV, ALGORITHM, 3)


@pytest.mark.slow
def test_a_chunk_is_its_iterations_one_by_one(fresh):
    compiled, report = two_iterations(fresh)
    one_by_one, losses, steps = fresh, [], 0
    one = eqx.filter_jit(lambda state: iterate(SAMPLER, ALGORITHM, state))
    for _ in range(2):
        one_by_one, found = one(one_by_one)
        losses.append(found.metrics["loss"])
        steps += int(found.env_steps)
    assert report.env_steps == steps == 2 * 2 * 2
    np.testing.assert_allclose(report.metrics["loss"], np.mean(losses), rtol=1e-6)
    for name, array in to_arrays(compiled).items():
        np.testing.assert_allclose(array, to_arrays(one_by_one)[name], rtol=1e-5, err_msg=name)


def test_what_was_not_finite_is_told_array_by_array(fresh):
    _, report = two_iterations(fresh)
    assert report.finite.tolist() == [True, True, True]
    tables = fresh.algorithm.networks
    poisoned = eqx.tree_at(lambda s: s.algorithm.networks.exploiting, fresh, jnp.full_like(tables.exploiting, jnp.nan))
    _, report = two_iterations(poisoned)
    assert report.finite.tolist() == [True, False, True]


def test_parts_and_back_is_the_same_and_as_good_to_go_on_from(fresh):
    parts = to_parts(ENV, ALGORITHM, fresh)
    assert parts.keys() == {"agent", "training", "replay"}
    assert not parts["replay"]  # it has none
    del parts["agent"]
    assert eqx.tree_equal(from_parts(ENV, ALGORITHM, parts), fresh, typematch=True)


def test_the_replay_is_a_part_of_its_own_and_the_agent_a_small_one():
    env, dream = Rooms(), small()
    parts = to_parts(env, dream, start(env, dream, 0))
    assert parts["replay"].keys() >= {"algorithm.replay.priority", "algorithm.replay.trials.exploration.rewards"}
    assert not [name for name in parts["training"] if "replay" in name]
    assert {"key:key<scout>", "iteration", "algorithm.counters['updates']"} <= parts["training"].keys()
    assert {name.split(".")[0] for name in parts["agent"]} == {"agent", "knowledge"}


def test_arrays_of_another_algorithm_are_refused_by_name(fresh):
    parts = to_parts(ENV, ALGORITHM, fresh)
    with pytest.raises(ScoutError, match=r"algorithm\.networks\.explor\w+ is missing or of another shape"):
        from_parts(Lever(5), ALGORITHM, parts)
    del parts["training"]["algorithm.networks.exploring"]
    with pytest.raises(ScoutError, match=r"algorithm\.networks\.exploring is missing"):
        from_parts(ENV, ALGORITHM, parts)


def test_what_is_no_state_is_told_in_one_line():
    class Odd(Tabular):
        def init(self, spec, key):  # type: ignore[override]
            return {}

    with pytest.raises(ScoutError, match=r"^Odd\.init returned a dict; it must return an AlgorithmState\.$"):
        start(ENV, Odd(), 0)
