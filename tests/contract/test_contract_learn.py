"""What learning keeps to, whatever learns and wherever."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract.cases import (
    BASE,
    FEW,
    FIRST,
    LEARNT,
    SOME,
    ProbeSampler,
    advance,
    advanced,
    algorithm_of,
    each,
    fresh,
    quick_jit,
    weights,
)
from contract.families import Bare, Probe
from training.inline import chunk, collect, iterate

from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.off_policy import store
from scoutrl.runs.arrays import shapes_of, to_arrays
from scoutrl.training.iteration import Asked, one_for_both, play
from scoutrl.training.state import arrays_of, from_parts, join, to_parts
from scoutrl.trials import replay as ring
from scoutrl.trials.trial import Episodes, Trial

RANKING = ("dream", "pearl", "metacure")
"""Algorithms that find some trials more worth learning from than others."""


@each(LEARNT)
def test_an_iteration_moves_all_that_is_learnt_and_reports_finite_numbers(case):
    before, (after, report) = fresh(case), advanced(case)
    assert shapes_of(after) == shapes_of(before)
    for old, new in zip(weights(before), weights(after), strict=True):
        arrays = to_arrays(new)
        still = [name for name, array in to_arrays(old).items() if array.size and np.array_equal(array, arrays[name])]
        # The few units before the memory may all be dead in so small a network: then nothing moves the memory.
        assert [name for name in still if ".history." not in name] == []
    assert after.iteration == before.iteration + 1
    assert report.env_steps > 0
    assert report.finite.all()
    for name, value in report.metrics.items():
        assert value.shape == (), name
        assert np.isfinite(value), name


@each([case for case in BASE if case.learner == "q" and case.algorithm in RANKING], quick={BASE[0]})
def test_fresh_trials_have_the_priority_that_learning_gives_them(case):
    algorithm, sampler, state = algorithm_of(case), ProbeSampler(Probe(case.kind)), fresh(case)
    assert isinstance(algorithm, GradientAlgorithm)
    key = jax.random.key(1)

    def both(state):
        trials = collect(sampler, algorithm, state)
        stored = store(state.algorithm, trials)
        _, aux = algorithm.loss(state.algorithm.networks, stored, ring.take(stored.replay, jnp.arange(8)), key)
        return trials.priority, aux.priority

    found, learnt = quick_jit(both)(state)
    np.testing.assert_allclose(found, learnt, rtol=1e-4, atol=1e-5)
    assert found.max() > found.min() > 0


@pytest.mark.parametrize("case", BASE, ids=str)
def test_one_program_can_play_what_is_learnt_from_and_what_is_evaluated(case):
    assert one_for_both(ProbeSampler(Probe(case.kind)), algorithm_of(case), fresh(case))


@each([BASE[0], FIRST[-1], *(case for case in BASE if case.algorithm == "import" and case.learner == "q")], {BASE[0]})
def test_one_program_plays_what_is_learnt_from_and_what_is_evaluated(case):
    algorithm, sampler, state = algorithm_of(case), ProbeSampler(Probe(case.kind)), fresh(case)
    problems = jnp.resize(jnp.asarray(sampler.spec.problems.ids), (8, sampler.spec.problems.ids.shape[1]))

    @quick_jit
    def played(state, evaluating):
        asked = Asked(evaluating, problems, jnp.int32(1))
        return [play(sampler, algorithm, state, asked, which) for which in (None, True, False)]

    for evaluating in (True, False):
        both, *apart = played(state, jnp.bool_(evaluating))
        expected = apart[not evaluating]
        np.testing.assert_array_equal(both.trials.informed, expected.trials.informed)
        for mine, its in zip(phases(both.trials), phases(expected.trials), strict=True):
            np.testing.assert_array_equal(mine.mask, its.mask)
            lived = np.asarray(its.mask)
            # Compiled apart, they may differ by a rounding.
            np.testing.assert_allclose(np.asarray(mine.actions)[lived], np.asarray(its.actions)[lived], atol=1e-5)
            np.testing.assert_allclose(mine.rewards, its.rewards, atol=1e-5)


def phases(trials: Trial) -> tuple[Episodes, Episodes]:
    return trials.exploration, trials.exploitation


@each(LEARNT)
def test_targets_follow_what_is_learnt(case):
    before, (after, _) = fresh(case), advanced(case)
    if before.algorithm.targets is not None:
        first, last = (far(*weights(state)) for state in (before, after))
        assert all(last[name] < first[name] for name in first)


def far(networks, targets) -> dict[str, float]:
    targets = to_arrays(targets)
    return {name: np.linalg.norm(x - targets[name]) for name, x in to_arrays(networks).items() if x.size}  # type: ignore


@each(SOME)
def test_an_iteration_is_pure(case):
    state = fresh(case)
    given = {name: array.copy() for name, array in to_arrays(state).items()}
    assert eqx.tree_equal(advance(case)(state), advanced(case))
    same(to_arrays(state), given)


@each(SOME)
def test_a_restored_state_goes_on_like_the_one_that_was_saved(case):
    algorithm, spec = algorithm_of(case), Bare(Probe(case.kind))
    state, _ = advanced(case)
    restored = from_parts(spec, algorithm, to_parts(spec, algorithm, state))
    assert list(map(jax.typeof, jax.tree.leaves(restored))) == list(map(jax.typeof, jax.tree.leaves(state)))
    assert eqx.tree_equal(restored, state)
    assert eqx.tree_equal(advance(case)(restored), advance(case)(state))


@each(FEW, quick=set())
def test_two_seeds_in_one_program_are_two_seeds_one_after_the_other(case):
    states = [fresh(case, seed) for seed in (0, 1)]
    sampler, algorithm, rest = ProbeSampler(Probe(case.kind)), algorithm_of(case), shapes_of(states[0])

    def one(arrays):
        state, report = chunk(sampler, algorithm, 1, eqx.combine(arrays, rest))
        return arrays_of(state), report

    together = quick_jit(jax.vmap(one))(join([arrays_of(state) for state in states]))
    for seed, state in enumerate(states):
        alone, report = advance(case)(state)
        close(jax.tree.map(lambda x, seed=seed: x[seed], together), (arrays_of(alone), report))


@pytest.mark.long
@each(FIRST[:1], quick=set())
def test_compiled_or_not_an_iteration_is_the_same(case):
    with jax.disable_jit():
        state, found = iterate(ProbeSampler(Probe(case.kind)), algorithm_of(case), fresh(case))
    compiled, report = advanced(case)
    close((state, found.metrics), (compiled, report.metrics))
    assert found.env_steps == report.env_steps


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def close(found, expected) -> None:
    """Equal but for rounding."""
    found, expected = to_arrays(found), to_arrays(expected)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=2e-3, atol=2e-4, err_msg=name)
