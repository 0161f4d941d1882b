"""Recorded trials are those that are lived without anybody looking on."""

import jax
import numpy as np
import pytest
from probes.rooms import Rooms
from trials.corridor import Clerk, Corridor, Quitter
from trials.gym_corridor import corridors

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.evaluation.decisions import preferences
from scoutrl.evaluation.recording import recorder
from scoutrl.runs.config import make_algorithm, resolve
from scoutrl.trials.agent import Phase
from scoutrl.trials.trial import Protocol


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [("e-rl2", {}), ("e-rl2", {"learner": "ppo"}), ("pearl", {}), ("metacure", {}), ("dream", {"width": 4})],
)
def test_what_is_chosen_greedily_is_preferred(name, settings):
    env = Rooms()
    algorithm = make_algorithm(resolve(name, env, sets=settings))
    drawn = algorithm.init(env, jax.random.key(0))
    state = AlgorithmState(networks=drawn.networks, targets=drawn.networks, counters=drawn.counters)
    record = recorder(env, algorithm.protocol(greedy=True))
    ids = env.problems.ids[:4]
    trials = record(algorithm.agent(env, state), None, ids, jax.random.split(jax.random.key(1), 4))
    assert trials.phases == (Phase.EXPLORATION, Phase.EXPLOITATION)
    for episode in trials.episodes:
        assert episode.kept.shape == (4, 2, 1, 4)
        np.testing.assert_array_equal(episode.kept[:, :, 0].argmax(axis=-1), episode.actions)
    # The goal of exploration is not told: nobody is shown it.
    assert all(explored.goal is None and exploited.goal is not None for explored, exploited in trials.some([0, 3]))


@pytest.mark.parametrize("agent", [Clerk("steps"), Quitter("steps")])
@pytest.mark.slow
def test_recorded_on_the_host_trials_are_those_of_the_family_in_jax(agent):
    ids, keys = Corridor().problems.ids, jax.random.split(jax.random.key(0), 4)
    one, other = (recorder(env, Protocol(2, 2, True))(agent, None, ids, keys) for env in (Corridor(), corridors()))
    for name in ("phases", "shown", "episodes", "moments"):
        for a, b in zip(jax.tree.leaves(getattr(one, name)), jax.tree.leaves(getattr(other, name)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_of_outputs_that_nobody_knows_nothing_is_said():
    assert preferences(object()) is None
