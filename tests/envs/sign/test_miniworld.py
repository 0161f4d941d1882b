"""The sign family beside the real simulator: its rules, and its frames."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from algorithms.small_dream import quick_jit
from probes import sign_rules

from scoutrl.envs.sign import Sign, simulator
from scoutrl.envs.sign.miniworld import SignMiniworld

pytestmark = pytest.mark.usefixtures("miniworld")
TRAJECTORIES = 500


def starts(count):
    """States at the start of episodes, of all colours."""
    problems, keys = np.arange(count)[:, None] % 3, jax.random.split(jax.random.key(4), count)
    return jax.jit(jax.vmap(lambda problem, key: Sign(start="miniworld").reset(problem, key)[0]))(problems, keys)


def test_positions_endings_and_rewards_on_500_trajectories():
    start, random = jax.tree.map(np.asarray, starts(TRAJECTORIES)), np.random.default_rng(0)
    place = np.stack([start.x, start.z, start.heading], axis=1).astype(np.float64)
    count, alive, earned = np.zeros(TRAJECTORIES, int), np.ones(TRAJECTORIES, bool), []
    for _ in range(20):
        rows = np.flatnonzero(alive)
        actions = random.choice(4, len(rows), p=[0.18, 0.18, 0.62, 0.02])
        colour, goal, before = start.colour[rows], start.goal[rows], place[rows]
        poses = np.concatenate([before, start.objects[rows]], axis=1)
        places, rewards, ends, _ = simulator.step(poses, colour, goal, actions, 8, 8)
        x, z, heading, later, reward, over, late = sign_rules.step(
            before[:, 0], before[:, 1], before[:, 2], count[rows], actions, colour, goal
        )
        np.testing.assert_allclose(places, np.stack([x, z, heading], axis=1), atol=1e-9)
        np.testing.assert_array_equal(rewards, reward)
        np.testing.assert_array_equal(ends, over)
        place[rows], count[rows], alive[rows] = places, later, ~(over | late)
        earned += rewards.tolist()
    assert min(earned.count(1.0), earned.count(-1.0)) > 20


def test_frames_of_any_sign_in_any_order():
    """Drawn alone or among others, in whichever order, a frame is the same."""
    state = starts(12)
    poses = np.concatenate([np.stack([state.x, state.z, state.heading], axis=1), state.objects], axis=1)
    # Before the sign, looking at it.
    poses[:, :3] = 6.8, 10.25, 0
    colours = np.asarray(state.colour)
    frames = simulator.look(poses, colours, 60, 80)
    np.testing.assert_array_equal(frames[::-1], simulator.look(poses[::-1], colours[::-1], 60, 80))
    alone = [simulator.look(poses[i : i + 1], colours[i : i + 1], 60, 80)[0] for i in (2, 0, 1)]
    np.testing.assert_array_equal(frames[[2, 0, 1]], alone)
    assert all((frames[i] != frames[j]).any() for i, j in ((0, 1), (1, 2), (0, 2)))


def test_the_family_takes_the_steps_of_its_twin_and_sees_what_it_sees():
    def play(env):
        def episode(problem, key, actions):
            state, seen = env.reset(problem, key)

            def step(state, action):
                state, answer = env.step(state, action, key)
                return state, (state, answer)

            return seen, jax.lax.scan(step, state, actions)[1]

        keys, problems = jax.random.split(jax.random.key(0), 8), jnp.arange(8)[:, None] % 3
        actions = np.random.default_rng(1).choice(3, (8, 20), p=[0.2, 0.2, 0.6])
        return jax.tree.map(np.asarray, quick_jit(jax.vmap(episode))(problems, keys, actions))

    first, (states, answers) = play(SignMiniworld(height=24, width=32))
    first_twin, (states_twin, answers_twin) = play(Sign(height=24, width=32))
    for one, other in zip(jax.tree.leaves(states), jax.tree.leaves(states_twin), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_array_equal(answers.reward, answers_twin.reward)
    np.testing.assert_array_equal(answers.terminated, answers_twin.terminated)
    np.testing.assert_array_equal(answers.truncated, answers_twin.truncated)
    for real, drawn in ((first, first_twin), (answers.observation, answers_twin.observation)):
        assert abs(real.astype(float) - drawn).mean() < 4
