"""What agents keep to: they act as they learn, they never see a problem ID, and they survive being exported."""

from typing import Any
from unittest import mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from contract.cases import (
    BASE,
    FEW,
    LEARNT,
    SOME,
    Case,
    ProbeSampler,
    algorithm_of,
    each,
    fresh,
    play,
    quick_jit,
    shades,
)
from contract.families import Bare, Probe, element

from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.registry import algorithms
from scoutrl.envs import Step
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.rl.actions import random_action
from scoutrl.rl.learner import Steps
from scoutrl.runs.config import make_algorithm, resolve
from scoutrl.runs.export import export, import_agent
from scoutrl.runs.open import TrainedRun
from scoutrl.trials.agent import Agent, Phase, encode_step
from scoutrl.trials.rollout import rollout

FAMILY = f"{Probe.__module__}:{Probe.__qualname__}"
KEYS = jax.random.split(jax.random.key(1), 2)


def agent_of(case: Case) -> Agent:
    return algorithm_of(case).agent(Bare(Probe(case.kind)), fresh(case).algorithm)


def same(found, expected) -> bool:
    return bool(eqx.tree_equal(found, expected))


# An agent does what learning takes it to do.


# PEARL learns with z of other trials of the problem.
DESCENDING = [case for case in BASE if isinstance(algorithm_of(case), GradientAlgorithm) and case.algorithm != "pearl"]


@each(DESCENDING, usual=FEW)
def test_learning_sees_what_the_agent_saw_when_it_acted(case):
    """On the outputs that learning has of each stored step, the same is done and kept as was done and kept then.

    Actions are drawn by a key made of the outputs, so that other outputs mean other actions. Draws of latents are
    replaced by their means, for those of learning are others than those of acting.
    """
    algorithm = make_algorithm(config_of(case, exploration_episodes=2))
    with (
        mock.patch.object(jax.random, "normal", lambda key, shape=(), dtype=jnp.float32: jnp.zeros(shape, dtype)),
        mock.patch.object(type(algorithm.learner), "act", act_by_outputs(Probe(case.kind))),  # type: ignore[attr-defined]
    ):
        policies = acted_and_learnt(algorithm, case)  # type: ignore
    assert policies
    for again, kept, steps in policies:
        mask = np.asarray(steps.mask)
        assert len(np.unique(np.asarray(steps.actions)[mask], axis=0)) > 1
        close(again, steps.actions, mask)
        jax.tree.map(lambda found, expected, mask=mask: close(found, expected, mask), kept, steps.kept)


def close(found, expected, mask) -> None:
    np.testing.assert_allclose(np.asarray(found)[mask], np.asarray(expected)[mask], rtol=1e-3, atol=1e-3)


def act_by_outputs(env: Probe):
    def act(self, outputs, noise, key, greedy):
        total = sum(jnp.where(jnp.abs(x) < 1e3, x, 0).sum() for x in jax.tree.leaves(outputs))
        return random_action(env.spaces.action, jax.random.key((8 * total).astype(jnp.int32)))  # type: ignore

    return act


def acted_and_learnt(algorithm: GradientAlgorithm, case: Case) -> list[tuple[Any, Any, Steps]]:
    """For each policy: what it would do and keep on what learning sees of fresh trials, and the steps of these."""
    sampler, learner, heard = ProbeSampler(Probe(case.kind)), algorithm.learner, []

    def loss(self, head, target, features, target_features, steps, key):
        heard.append((head(features[:, :-1]), steps))
        return jnp.float32(0), {}

    @quick_jit
    def policies(state, problems, keys):
        def collector(problem, key):
            return algorithm.collector(sampler.spec, state, problem, key)

        trials = sampler.sample(collector, problems, keys, algorithm.protocol(greedy=True))
        with mock.patch.object(type(learner), "loss", loss):
            algorithm.loss(state.networks, state, trials, keys[0])
        act = jax.vmap(jax.vmap(lambda outputs: learner.act(outputs, None, keys[0], True)))
        return [(act(outputs), learner.keep(outputs, steps.actions), steps) for outputs, steps in heard]

    problems = jnp.asarray(sampler.spec.problems.ids[np.arange(8) % 4])
    found = policies(after_schedules(fresh(case).algorithm), problems, jax.random.split(jax.random.key(2), 8))
    return found


def after_schedules(state):
    """All that schedules go by is at its end: everything was learnt."""
    counters = {name: jnp.zeros_like(value) for name, value in state.counters.items()}
    return eqx.tree_at(lambda s: s.counters, state, counters)


@each(FEW, quick=set())
def test_compiled_or_not_a_trial_is_the_same(case):
    env, problems = Probe(case.kind), shades(case.kind)[0]
    trials = play(case)(agent_of(case), problems, KEYS)
    with jax.disable_jit():
        _, key = jax.random.split(KEYS[0])
        trial = rollout(env, agent_of(case), problems[0], key, algorithm_of(case).protocol(greedy=True))
    for found, expected in zip(jax.tree.leaves(trial), jax.tree.leaves(trials), strict=True):
        np.testing.assert_allclose(found, expected[0], rtol=1e-3, atol=1e-4)


# Nothing that is evaluated or deployed has the problem ID to go by.


@each(SOME)
def test_problems_that_look_the_same_are_treated_the_same(case):
    one, other = (play(case)(agent_of(case), problems, KEYS) for problems in shades(case.kind))
    assert not same(one.problem, other.problem)
    assert same((one.exploration, one.exploitation), (other.exploration, other.exploitation))
    assert not one.informed.any()


@each(LEARNT)
def test_neither_agent_nor_verbs_depend_on_the_ids_of_a_family(case):
    spec, state, algorithm = Bare(Probe(case.kind)), fresh(case).algorithm, algorithm_of(case)
    spaces, key = spec.spaces, jax.random.key(0)
    goal = None if spaces.goal is None else element(spaces.goal, 1)
    step = Step(element(spaces.observation, 1), jnp.float32(1), jnp.bool_(False), jnp.bool_(False))

    def verbs(ids):
        agent = algorithm.agent(eqx.tree_at(lambda s: s.problems.ids, spec, ids), state)
        memory, done = agent.begin(key), []
        for phase in Phase:
            shown = goal if phase == Phase.EXPLOITATION else None
            memory = agent.begin_episode(memory, phase, shown, key)
            action, memory = agent.act(memory, agent.encode(step.observation), key, greedy=False)
            memory = agent.observe(memory, action, encode_step(agent, step))
            done.append((action, agent.keep(memory, action)))
        return eqx.filter((done, memory, agent), eqx.is_array)

    traced = jax.make_jaxpr(verbs)(jnp.asarray(spec.problems.ids)).jaxpr
    used = [*traced.outvars, *(var for line in traced.eqns for var in line.invars)]
    assert not any(var is traced.invars[0] for var in used)


@each(SOME)
def test_nothing_that_encodes_problem_ids_is_in_the_agent(case):
    spec, state, algorithm = Bare(Probe(case.kind)), fresh(case).algorithm, algorithm_of(case)
    changed = jax.tree.map(
        lambda x: jax.tree.map(lambda weight: weight + 1, x) if is_problem_encoder(x) else x,
        state,
        is_leaf=is_problem_encoder,
    )
    assert same(changed, state) != any(map(is_problem_encoder, jax.tree.leaves(state, is_leaf=is_problem_encoder)))
    assert same(algorithm.agent(spec, changed), algorithm.agent(spec, state))


def is_problem_encoder(x) -> bool:
    return isinstance(x, ProblemEncoder)


# An exported agent is the same agent.


@each([case for case in SOME if case.algorithm in algorithms()])
def test_an_exported_agent_is_the_same_and_acts_the_same(case, tmp_path):
    env, agent, config = Probe(case.kind), agent_of(case), config_of(case)
    algorithm = make_algorithm(config)
    assert same(algorithm, algorithm_of(case))
    knowledge = algorithm.knowledge(env, fresh(case).algorithm)
    trained = TrainedRun(tmp_path, config, env, env, algorithm, agent, knowledge, env_steps=8)
    exported = import_agent(export(trained, tmp_path / "agent.scout"))
    assert same(exported.agent, agent)
    problems, _ = shades(case.kind)
    assert same(play(case)(exported.agent, problems, KEYS), play(case)(agent, problems, KEYS))


def config_of(case: Case, **settings):
    return resolve(case.algorithm, FAMILY, steps=8, sets={**case.settings(), "env.kind": case.kind, **settings})
