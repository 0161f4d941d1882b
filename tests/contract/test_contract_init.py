"""Every algorithm with every learner on every kind of family: it begins, or it refuses in one line that says why."""

import equinox as eqx
import jax
import pytest
from contract.cases import CASES, LEARNT, Case, algorithm_of, each, head_refuses
from contract.families import Bare, Probe

from scoutrl.algorithms.off_policy import only_off_policy
from scoutrl.errors import ScoutError
from scoutrl.rl.registry import find_learner

REFUSED = [case for case in CASES if case not in LEARNT]


def needs_fresh_trials(case: Case) -> str:
    """What an algorithm says that learns from replayed trials only, without its name; empty if the learner does."""
    try:
        only_off_policy(find_learner(case.learner or "")(), "")  # type: ignore
    except ScoutError as error:
        return str(error)
    return ""


@each(REFUSED, quick={*REFUSED})
def test_what_cannot_be_learnt_is_refused_in_one_line(case):
    with pytest.raises(ScoutError) as refusal:
        algorithm_of(case).init(Bare(Probe(case.kind)), jax.random.key(0))
    said = str(refusal.value)
    assert "\n" not in said
    if said != head_refuses(case):
        assert needs_fresh_trials(case)
        assert said.endswith(needs_fresh_trials(case))


@each(LEARNT)
def test_all_that_is_asked_of_a_family_is_its_spec(case):
    env, algorithm, key = Probe(case.kind), algorithm_of(case), jax.random.key(0)
    assert eqx.tree_equal(algorithm.init(Bare(env), key), algorithm.init(env, key))
    replays = [jax.eval_shape(lambda spec=spec: algorithm.replay(spec)) for spec in (env, Bare(env))]
    assert replays[0] == replays[1]
