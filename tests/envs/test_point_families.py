"""The families of a point in the plane beside their rules written as plain Python, and their bounds beside formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.point_rules import BinaryRules, EscapeRules, SemicircleRules, WindRules

from scoutrl.envs import registry
from scoutrl.envs.draw import GREEN, RED
from scoutrl.envs.point import PointEnv
from scoutrl.envs.problems import SPLITS
from scoutrl.envs.spot import spot
from scoutrl.errors import ScoutError
from scoutrl.exact.bounds import bounds, optimum

FAMILIES = {
    "semicircle": (SemicircleRules, {}),
    "semicircle-binary": (BinaryRules, {"reward": "binary"}),
    "semicircle-wind": (WindRules, {}),
    "escape-room": (EscapeRules, {}),
}
EPISODES = 60


def made(name: str) -> PointEnv:
    env = registry.make(name.removesuffix("-binary"), **FAMILIES[name][1])
    assert isinstance(env, PointEnv)
    return env


@pytest.mark.parametrize("name", FAMILIES)
def test_every_step_follows_the_rules(name):
    env, rules, random = made(name), FAMILIES[name][0], np.random.default_rng(0)
    problems = env.problems.of("test")[:EPISODES]
    # Two thirds go about where it pays, with some noise: random actions alone would hardly ever get there.
    ways = random.uniform(-1, 1, (EPISODES, 20, 2)) * random.choice([0.2, 0.6, 1], (EPISODES, 1, 1))
    heading = problems[:, None, :2] * random.choice([0, 1, 1], (EPISODES, 1, 1)) * (np.arange(20)[:, None] < 12)
    actions = np.clip(heading + ways, -1, 1).astype(np.float32)

    def episode(problem, actions):
        state, _ = env.reset(problem, jax.random.key(0))
        return jax.lax.scan(lambda s, a: env.step(s, a, jax.random.key(0)), state, actions)[1]

    steps = jax.tree.map(np.asarray, jax.jit(jax.vmap(episode))(jnp.asarray(problems), jnp.asarray(actions)))
    for i in range(EPISODES):
        mine = rules(problems[i].tolist())
        for t in range(20):
            position, reward = mine.step(actions[i, t].tolist())
            np.testing.assert_allclose(steps.observation[i, t], position, atol=1e-5)
            assert steps.reward[i, t] == pytest.approx(reward, abs=1e-5)
    assert 0.02 < (steps.reward > 0).mean() < 0.9
    assert not steps.terminated.any()
    np.testing.assert_array_equal(steps.truncated, np.broadcast_to(np.arange(20) == 19, (EPISODES, 20)))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_bounds(name):
    env = made(name)
    found = bounds(env)
    for split in SPLITS:
        best = np.mean([FAMILIES[name][0](problem.tolist()).optimum() for problem in env.problems.of(split)])
        assert found["optimum"][split] == pytest.approx(best, rel=1e-4)
        assert 0 < found["fixed_place"][split] < found["sweep"][split] < 0.6 * best
    assert optimum(env) == found["optimum"]


@pytest.mark.parametrize("name", ["semicircle", "semicircle-wind", "escape-room"])
def test_problems_lie_on_the_upper_half_of_the_circle(name):
    problems = made(name).problems
    assert [len(problems.rows(split)) for split in SPLITS] == [72, 8, 100]
    np.testing.assert_allclose(np.hypot(*problems.ids[:, :2].T), 1, atol=1e-6)
    assert (problems.ids[:, 1] >= 0).all()
    assert 0.3 < (problems.of("test")[:, 0] > 0).mean() < 0.7


@pytest.mark.parametrize("name", ["semicircle", "semicircle-wind", "escape-room"])
def test_pictures_show_the_agent_and_what_is_hidden(name):
    env = made(name)
    state, _ = env.reset(jnp.asarray(env.problems.of("test")[0]), jax.random.key(0))
    picture = np.asarray(jax.jit(lambda state: env.render(state))(state)) / 255
    column, row = np.asarray(spot(env, state)).astype(int)
    assert np.abs(picture[row, column] - RED).max() < 0.02
    assert (np.abs(picture - GREEN).max(axis=-1) < 0.02).sum() > 100


def test_another_reward_is_refused():
    with pytest.raises(ScoutError, match="reward"):
        registry.make("semicircle", reward="dense")
