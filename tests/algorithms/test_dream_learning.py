"""What a gradient step of DREAM learns from images and from real-valued IDs."""

import equinox as eqx
import gymnasium
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import size, small, trained

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step


class Lamp(MetaEnv):
    """A lamp as bright as the first number of the problem, seen as a tiny picture; action 1 ends the episode."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        self.problems = ProblemSet([[0.1, 0.0], [0.9, 0.5]], [0, 1], [0, 1])
        picture = gymnasium.spaces.Box(0, 255, (3, 4, 3), np.uint8)
        self.spaces, self.horizon = Spaces(picture, gymnasium.spaces.Discrete(2)), 2

    def reset(self, problem, key):
        return problem, jnp.zeros((3, 4, 3), jnp.uint8)

    def goal(self, state):
        return None

    def step(self, state, action, key):
        picture = jnp.broadcast_to((255 * state[0]).astype(jnp.uint8), (3, 4, 3))
        return state, Step(picture, state[0] * action, action == 1, jnp.bool_(False))

    def render(self, state):
        return jnp.zeros((3, 4, 3), jnp.uint8)


@pytest.mark.slow
def test_pictures_and_problem_ids_of_real_numbers():
    state, found = trained(Lamp(), small(policy_memory=False))
    assert bool(found.finite.all())
    assert state.replay.trials.exploration.observations.dtype == np.uint8
    assert int(state.counters["updates"]) == 2
    assert size(state.networks.encoder.out) > 0
    seen, averaged = (networks.actors.encode.observation for networks in (state.networks, state.targets))
    assert not np.array_equal(seen.embed.weight, averaged.embed.weight)
    assert size(seen.embed.bias) > 1e-5
    assert size(state.networks.encoder.hidden.bias) > 1e-5
