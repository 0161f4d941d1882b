"""The sign family beside the real simulator: its rules, and its frames."""

import contextlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes import sign_rules
from trials.agents import Walker

from scoutrl.envs import registry
from scoutrl.envs.host.render import picture_of, spot_in
from scoutrl.envs.sign import Sign, SignState
from scoutrl.envs.sign.family import STARTS
from scoutrl.evaluation.evaluate import same_agent
from scoutrl.simulators.sign import SignWorld
from scoutrl.trials.sampler import sampler_for
from scoutrl.trials.trial import Protocol

pytestmark = pytest.mark.usefixtures("miniworld")
TRAJECTORIES = 150


def worlds(height: int, width: int) -> list[SignWorld]:
    """One for each colour."""
    return [SignWorld(colour, STARTS["miniworld"], height, width) for colour in range(3)]


@pytest.mark.slow
def test_positions_endings_and_rewards_on_150_trajectories():
    random, here, earned = np.random.default_rng(0), worlds(8, 8), []
    for trajectory in range(TRAJECTORIES):
        colour = 3 * trajectory // TRAJECTORIES
        world = here[colour]
        world.reset(seed=trajectory)
        while world.steps < 20:
            x, z, heading, count = *world.pose[:3], world.steps
            action = random.choice(4, p=[0.18, 0.18, 0.62, 0.02])
            _, reward, over, _, _ = world.step(action)
            given = [np.atleast_1d(one) for one in (x, z, heading, count, action, colour, world.goal)]
            *place, _, wanted, ends, _ = sign_rules.step(*given)
            np.testing.assert_allclose(world.pose[:3], np.ravel(place), atol=1e-9)
            assert (reward, over) == (wanted[0], ends[0])
            earned.append(reward)
            if over:
                break
    assert min(earned.count(1.0), earned.count(-1.0)) > 5


def test_starts_are_spread_as_in_the_twin():
    world = worlds(8, 8)[0]
    goals = [world.reset(seed=seed)[1]["goal"] for seed in range(40)]
    assert 8 < sum(goals) < 32
    low, high = STARTS["miniworld"]
    poses = np.array([(world.reset(seed=seed), world.pose)[1] for seed in range(40)])
    assert (poses[:, :2] >= low).all()
    assert (poses[:, :2] <= high).all()
    assert (np.ptp(poses[:, :2], axis=0) > 0.6 * np.subtract(high, low)).all()
    assert (np.ptp(poses[:, 2:], axis=0) > 4).all()


def test_frames_of_any_sign_in_any_order():
    """Drawn alone or among others, in whichever order, a frame is the same."""
    here = worlds(60, 80)
    for world in here:
        world.reset(seed=4)
        # Before the sign, looking at it.
        world.pose[:3] = 6.8, 10.25, 0
    frames = [world.render() for world in here]
    for order in ((2, 1, 0), (1, 0, 2)):
        for colour in order:
            np.testing.assert_array_equal(here[colour].render(), frames[colour])
    assert all((frames[i] != frames[j]).any() for i, j in ((0, 1), (1, 2), (0, 2)))


@pytest.mark.slow
def test_a_step_is_that_of_the_twin_and_what_is_seen_and_drawn_too():
    twin, random = Sign(height=24, width=32), np.random.default_rng(1)
    step = jax.jit(lambda state, action: twin.step(state, action, jax.random.key(0)))
    for world in worlds(24, 32):
        world.reset(seed=7)
        x, z, heading, *objects = map(jnp.float32, world.pose)
        numbers = map(jnp.int32, (world.colour, world.goal, 0))
        state = SignState(x, z, heading, jnp.stack(objects), *numbers)
        for _ in range(6):
            action = random.choice(3, p=[0.2, 0.2, 0.6])
            seen, reward, over, _, _ = world.step(action)
            state, answer = step(state, jnp.int32(action))
            assert abs(seen.astype(float) - np.asarray(answer.observation)).mean() < 4
            assert (reward, over) == (float(answer.reward), bool(answer.terminated))
        for goal in (True, False):
            drawn = picture_of(world, goal).astype(int)
            assert abs(drawn - twin.picture(state, goal)).max() <= 1  # its place is in double precision
        np.testing.assert_allclose(spot_in(world), 24 * np.array([state.x, state.z]), atol=1e-3)


@pytest.mark.slow
def test_the_family_is_stepped_by_workers():
    family = registry.make("sign-miniworld", height=24, width=32)
    assert registry.name_of(family) == "sign-miniworld"
    assert family.spaces == Sign(height=24, width=32).spaces
    with contextlib.closing(sampler_for(family)) as sampler:
        problems, keys = family.problems.ids, jax.random.split(jax.random.key(0), 3)
        trials = sampler.sample(eqx.Partial(same_agent, Walker(2)), problems, keys, Protocol())
    assert trials.exploration.observations.shape == (3, 1, 21, 24, 32, 3)
    assert trials.exploration.goals is not None
    assert (trials.exploration.lengths >= 1).all()
