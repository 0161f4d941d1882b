import jax
import jax.numpy as jnp
import numpy as np

from scoutrl.envs import registry


def test_one_lever_pays_and_lever_0_tells_which():
    env = registry.make("lever", size=5)
    assert env.horizon == 1
    for problem in range(5):
        state, observation = env.reset(jnp.array([problem]), jax.random.key(0))
        assert int(observation) == 0
        assert env.goal(state) is None
        for action in range(5):
            _, step = env.step(state, jnp.int32(action), jax.random.key(0))
            assert int(step.observation) == (problem + 1 if action == 0 else 0)
            assert float(step.reward) == (1.0 if action == problem else 0.0)
            assert bool(step.terminated)
            assert bool(step.truncated)


def test_all_problems_are_in_both_splits():
    problems = registry.make("lever").problems
    np.testing.assert_array_equal(problems.train, np.arange(64))
    np.testing.assert_array_equal(problems.test, np.arange(64))
