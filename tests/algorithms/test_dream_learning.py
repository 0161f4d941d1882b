"""A gradient step of DREAM: pure, the same compiled or not, for one seed or several; images and real-valued IDs."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import SEVERAL, TRIALS, lived, quick_jit, size, small, trained

from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step

learn = quick_jit(lambda env, state, trials, key: small(**SEVERAL).learn(env, state, trials, key))


def close(a, b, tolerance=1e-5):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=tolerance)


def test_learning_is_pure_and_keeps_what_it_is_given():
    env, state, trials = lived()
    before = jax.tree.map(np.array, state)
    first, metrics = learn(env, state, trials, jax.random.key(0))
    second, _ = learn(env, state, trials, jax.random.key(0))
    assert eqx.tree_equal(first, second)
    assert eqx.tree_equal(jax.tree.map(np.asarray, state), before)
    assert all(np.isfinite(value) for value in metrics.values())
    assert int(first.counters["updates"]) == 1
    assert int(first.replay.size) == TRIALS
    close(jax.tree.map(lambda x: x[:TRIALS], first.replay.trials), trials, 0)
    moved = jax.tree.map(jnp.subtract, first.networks, state.networks)
    assert size(moved.encoder) > 1e-4
    assert size(moved.actors) > 1e-4


def test_compiled_or_not_the_numbers_are_the_same():
    env, state, trials = lived()
    compiled = learn(env, state, trials, jax.random.key(0))
    plain = small(**SEVERAL).learn(env, state, trials, jax.random.key(0))
    close(compiled, plain, 1e-4)


def test_several_seeds_in_one_program_are_each_seed_alone():
    (env, *first), (_, *second) = lived(0), lived(1)
    keys = jax.random.split(jax.random.key(0), 2)
    alone = [learn(env, *given, key) for given, key in zip((first, second), keys, strict=True)]
    stack = lambda *trees: jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)  # noqa: E731
    together = quick_jit(eqx.filter_vmap(small(**SEVERAL).learn, in_axes=(None, 0, 0, 0)))
    close(together(env, *stack(first, second), keys), stack(*alone), 1e-4)


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
    assert size(state.networks.encoder.layers[0].weight) > 0
    seen, averaged = (networks.actors.encode.observation for networks in (state.networks, state.targets))
    assert not np.array_equal(seen.embed.weight, averaged.embed.weight)
    assert size(seen.embed.bias) > 1e-5
    assert size(state.networks.encoder.layers[0].bias) > 1e-5
