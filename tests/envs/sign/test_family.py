"""The sign family beside its rules in double precision, on 10,000 random trajectories."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes import sign_rules

import scoutrl
from scoutrl.envs.sign import Sign, draw
from scoutrl.errors import ScoutError

TRAJECTORIES = 10_000


@pytest.fixture(scope="module")
def played():
    """Starts, actions, and what the family answered to them: [trajectories, 20]."""
    env = scoutrl.make("sign", start="miniworld")
    random = np.random.default_rng(0)
    problems = random.integers(0, 3, (TRAJECTORIES, 1)).astype(np.int32)
    actions = random.choice(4, (TRAJECTORIES, 20), p=[0.18, 0.18, 0.62, 0.02]).astype(np.int32)

    def episode(problem, key, actions):
        start, _ = env.reset(problem, key)

        def step(state, action):
            state, answer = env.step(state, action, key)
            return state, (state, answer.reward, answer.terminated, answer.truncated)

        return start, jax.lax.scan(step, start, actions)[1]

    # Frames are not asked for, so none are drawn.
    keys = jax.random.split(jax.random.key(1), TRAJECTORIES)
    start, answers = jax.jit(jax.vmap(episode))(problems, keys, actions)
    return actions, jax.tree.map(np.asarray, start), jax.tree.map(np.asarray, answers)


@pytest.mark.slow
def test_every_step_follows_the_rules(played):
    actions, start, (states, rewards, terminated, truncated) = played
    x, z, heading = (np.asarray(value, np.float64) for value in (start.x, start.z, start.heading))
    count, alive = np.zeros(TRAJECTORIES, int), np.ones(TRAJECTORIES, bool)
    stayed = given_up = timed_out = 0
    for t in range(20):
        before = x
        x, z, heading, count, reward, over, late = sign_rules.step(
            x, z, heading, count, actions[:, t], start.colour, start.goal
        )
        stayed += (alive & (actions[:, t] == 2) & (x == before)).sum()
        np.testing.assert_allclose(states.x[alive, t], x[alive], atol=2e-5)
        np.testing.assert_allclose(states.z[alive, t], z[alive], atol=2e-5)
        np.testing.assert_allclose(states.heading[alive, t], heading[alive], atol=2e-5)
        np.testing.assert_array_equal(rewards[alive, t], reward[alive])
        np.testing.assert_array_equal(terminated[alive, t], over[alive])
        np.testing.assert_array_equal(truncated[alive, t], late[alive])
        given_up += (alive & over & (reward == 0)).sum()
        timed_out += (alive & late & ~over).sum()
        alive &= ~(over | late)
    lived = np.cumsum(terminated, axis=1) - terminated == 0
    # The test means little unless all of this happens often.
    assert min(stayed, given_up, timed_out, (lived & (rewards == 1)).sum(), (lived & (rewards == -1)).sum()) > 300


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "low", "high"), [("paper", (4.4, 4.4), (4.6, 5.6)), ("miniworld", (3.6, 3.6), (5.4, 6.4))]
)
def test_starts(start, low, high):
    env = scoutrl.make("sign", start=start)
    # Compiled, the frames are not drawn.
    start_of = jax.jit(jax.vmap(lambda key: env.reset(jnp.array([2]), key)[0]))
    states = start_of(jax.random.split(jax.random.key(0), 2000))
    places = np.stack([states.x, states.z], axis=1)
    np.testing.assert_allclose(places.min(0), low, atol=0.02)
    np.testing.assert_allclose(places.max(0), high, atol=0.02)
    headings = np.concatenate([np.asarray(states.heading)[:, None], states.objects], axis=1)
    assert headings.min(0) == pytest.approx(-np.pi, abs=0.02)
    assert headings.max(0) == pytest.approx(np.pi, abs=0.02)
    assert np.mean(states.goal) == pytest.approx(0.5, abs=0.05)
    assert (states.colour == 2).all()


@pytest.mark.slow
def test_a_state_is_small_and_tells_the_observation():
    env = Sign(height=24, width=32)
    state, observation = env.reset(jnp.array([1]), jax.random.key(0))
    state, step = env.step(state, jnp.int32(2), jax.random.key(1))
    assert sum(leaf.nbytes for leaf in jax.tree.leaves(state)) == 48
    assert step.observation.shape == (24, 32, 3)
    np.testing.assert_array_equal(env.look(state), step.observation)
    assert (observation != step.observation).any()


@pytest.mark.slow
def test_there_are_three_problems_to_train_and_to_test_on():
    env = scoutrl.make("sign", height=20, width=20)
    assert env.problems.train.tolist() == env.problems.test.tolist() == [0, 1, 2]


@pytest.mark.parametrize("size", [{"height": 7}, {"height": 61}, {"width": 6}, {"width": 1000}])
def test_sizes_that_cannot_be_drawn(size):
    with pytest.raises(ScoutError, match="8 to 512"):
        scoutrl.make("sign", **size)


def test_draw_says_which_shapes_do_not_fit():
    with pytest.raises(ScoutError, match=r"\[n, 6\]"):
        draw(np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3), np.zeros((3, 5)))
