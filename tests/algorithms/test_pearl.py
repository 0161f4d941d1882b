"""PEARL: what each z is drawn from, what the agent knows of it, and what trains what."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from algorithms.small_dream import TRIALS, noisy, quick_jit, size
from probes.rooms import Rooms

from scoutrl.algorithms.pearl.pearl import Pearl, contexts, factors
from scoutrl.envs import Step
from scoutrl.nn.gaussian import Factor
from scoutrl.training.iteration import collect
from scoutrl.training.state import TrainingState
from scoutrl.trials.agent import Phase
from scoutrl.trials.encode import seen

SIZES: dict[str, Any] = {"z": 3, "width": 4, "policy_width": 4, "trials": TRIALS, "batch": TRIALS, "capacity": TRIALS}
PEARL = Pearl(**SIZES, explorations=2, exploitations=2, kl_weight=0.5)
ENV = Rooms()


@quick_jit
def begun(key):
    state = PEARL.init(ENV, key)
    state = eqx.tree_at(lambda s: (s.nets, s.average), state, (noisy(state.nets), noisy(state.average, 1)))
    problems, keys = ENV.problems.sample(key, TRIALS), jax.random.split(key, TRIALS)
    return state, collect(ENV, PEARL, TrainingState(state, key, jnp.int32(0)), problems, keys)


def test_contexts_by_numbers():
    """Exploration episodes know all of exploration; exploitation episodes all before them."""
    explored = Factor(jnp.array([[[1.0], [2.0]]]), jnp.array([[[3.0], [5.0]]]))
    exploited = Factor(jnp.array([[[10.0], [20.0], [40.0]]]), jnp.zeros((1, 3, 1)))
    known = contexts(explored, exploited)
    np.testing.assert_array_equal(known.precision[0, :, 0], [3, 3, 3, 13, 33])
    np.testing.assert_array_equal(known.weighted[0, :, 0], 8)


def test_the_agent_s_experiences_are_the_learner_s():
    """Stepping through a trial, the agent comes to what the learner makes of it all at once; goals come and go."""
    state, trials = begun(jax.random.key(0))
    agent = PEARL.collector(ENV, state, jnp.array([0, 0]), jax.random.key(0))

    @quick_jit
    def relived(trial):
        memory, beliefs, goals = agent.begin(jax.random.key(0)), [], []
        for phase, episodes in [(Phase.EXPLORATION, trial.exploration), (Phase.EXPLOITATION, trial.exploitation)]:
            for i in range(2):
                beliefs.append(memory.experiences)
                goal = episodes.goals[i] if phase == Phase.EXPLOITATION else None
                memory = agent.begin_episode(memory, phase, goal, jax.random.key(0))
                goals.append(memory.goal)
                for t in range(ENV.horizon):
                    _, memory = agent.act(memory, agent.look(episodes.observations[i, t]), jax.random.key(0), True)
                    end = jnp.bool_(False)
                    step = Step(agent.look(episodes.observations[i, t + 1]), episodes.rewards[i, t], end, end)
                    memory = agent.observe(memory, episodes.actions[i, t], step)
        return beliefs, goals

    trial = jax.tree.map(lambda x: x[0], trials)
    beliefs, goals = relived(trial)
    nets, one = state.nets, jax.tree.map(lambda x: x[:1], trials)
    explored, exploited = (factors(nets, seen(nets.observe, e)) for e in (one.exploration, one.exploitation))
    learnt = contexts(explored, exploited)
    np.testing.assert_array_equal(beliefs[0].precision, 0)
    for i in (2, 3):
        np.testing.assert_allclose(beliefs[i].precision, learnt.precision[0, i], rtol=1e-4)
        np.testing.assert_allclose(beliefs[i].weighted, learnt.weighted[0, i], rtol=1e-4, atol=1e-5)
    assert not np.any(goals[0])
    assert not np.any(goals[1])
    np.testing.assert_array_equal(goals[2], jax.nn.one_hot(trial.exploitation.goals[0], 2))


def test_every_episode_draws_anew():
    state, _ = begun(jax.random.key(0))
    agent = PEARL.agent(ENV, state)
    memory = agent.begin(jax.random.key(0))
    draws = [agent.begin_episode(memory, Phase.EXPLORATION, None, jax.random.key(i)).z for i in range(400)]
    np.testing.assert_allclose(np.mean(draws, axis=0), 0, atol=4 / 400**0.5)
    np.testing.assert_allclose(np.var(draws, axis=0), 1, atol=4 * (2 / 400) ** 0.5)


def test_the_critic_trains_both_parts_and_the_divergence_q():
    state, trials = begun(jax.random.key(0))

    @quick_jit
    def slopes(nets):
        losses = lambda nets: PEARL.loss(nets, state, trials, jax.random.key(1))[1].metrics  # noqa: E731
        return losses(nets), jax.jacrev(losses)(nets)

    metrics, slope = slopes(state.nets)
    assert metrics["loss"] == metrics["critic_loss"] + 0.5 * metrics["kl"]
    assert size(slope["critic_loss"].inference) > 0
    assert size(slope["critic_loss"].policy) > 0
    assert size(slope["kl"].inference) > 0
    assert size(slope["kl"].policy) == 0
