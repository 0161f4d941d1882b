"""What DREAM is said to know, beside the distances its decoder is trained on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import lived, quick_jit, small
from probes.rooms import Rooms
from probes.scripted import Script

from scoutrl.envs import Step
from scoutrl.trials.agent import Phase
from scoutrl.trials.encode import encode_observations
from scoutrl.trials.sequences import transitions


@pytest.mark.slow
def test_dream_knows_as_much_as_its_decoder_has_come_nearer():
    env, state, trials = lived()
    dream = small(exploration_episodes=2, exploitation_episodes=2)
    trial = jax.tree.map(lambda x: x[0], trials)

    @quick_jit
    def told(state, trial):
        """Known at the start and after each step of the first exploration episode."""
        agent, knowledge = dream.agent(env, state), dream.knowledge(env, state)
        memory = agent.begin(jax.random.key(0))
        values = [knowledge(trial.problem, memory)]
        memory = agent.begin_episode(memory, Phase.EXPLORATION, None, jax.random.key(1))
        lived = jax.tree.map(lambda x: x[0], trial.exploration)
        for t in range(env.horizon):
            _, memory = agent.act(memory, agent.encode(lived.observations[t]), jax.random.key(2), greedy=True)
            step = Step(agent.encode(lived.observations[t + 1]), lived.rewards[t], lived.ended[t], jnp.bool_(False))
            memory = agent.observe(memory, lived.actions[t], step)
            values.append(knowledge(trial.problem, memory))
        return jnp.stack(values)

    @quick_jit
    def trained_on(state, trials):
        """The distances D_0, D_1, … of the decoder's loss for the averaged networks."""
        networks = state.targets
        actors = networks.actors
        explored = transitions(encode_observations(actors.encode.observation, trials.exploration))
        g = actors.decoder.prefixes(dream._transition_features(actors, explored))
        return ((networks.encoder(trials.problem)[:, None] - g) ** 2).sum(axis=-1)

    distance = np.asarray(trained_on(state, trials))[0, : env.horizon + 1]
    values = np.asarray(told(state, trial))
    np.testing.assert_allclose(values, 1 - distance / distance[0], atol=1e-5)
    assert values[0] == 0
    assert abs(values[1:]).min() > 1e-4


def test_of_other_algorithms_nobody_can_tell():
    assert Script().knowledge(Rooms(), None) is None  # type: ignore[arg-type]
