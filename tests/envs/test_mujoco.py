"""The MuJoCo families: their rules once more, from what the simulation itself says."""

import math

import numpy as np
import pytest

from scoutrl.envs import registry
from scoutrl.envs.host.render import drawing_env, picture_of
from scoutrl.envs.mujoco import families
from scoutrl.errors import ScoutError

NAMES = ("cheetah-vel", "cheetah-dir", "ant-goal")


def test_without_mujoco_its_families_say_what_to_install(monkeypatch):
    for module in (registry, families):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert not {*NAMES} & registry.families().keys()
    for name in NAMES:
        with pytest.raises(ScoutError, match=rf"^{name} needs MuJoCo: pip install 'scoutrl\[mujoco\]'$"):
            registry.make(name)


@pytest.fixture(autouse=True)
def mujoco(request):
    if "without" not in request.node.name:
        pytest.importorskip("mujoco", reason="the extra scoutrl[mujoco] is not installed")
        pytest.importorskip("imageio", reason="the extra scoutrl[mujoco] is not installed")


def test_they_can_be_made_by_name():
    for name, problems, seen in zip(NAMES, (130, 2, 180), (20, 20, 107), strict=True):
        family = registry.make(name)
        assert (registry.name_of(family), family.horizon, family.time_limit) == (name, 200, "bootstrap")
        assert (len(family.problems.ids), family.spaces.observation.shape) == (problems, (seen,))
    assert registry.make("cheetah-vel", reward="sparse", horizon=64).horizon == 64
    with pytest.raises(ScoutError, match="must be 'dense' or 'sparse'"):
        registry.make("cheetah-vel", reward="spares")


def test_the_velocities_are_those_of_pearl():
    problems = registry.make("cheetah-vel").problems
    # The first and the last of np.random.seed(1337); np.random.uniform(0, 3, 130).
    assert problems.ids[[0, 129], 0] == pytest.approx([0.7860740, 0.5583223], abs=1e-6)
    assert (len(problems.train), len(problems.validation), problems.test.tolist()) == (90, 10, [*range(100, 130)])


def test_the_places_fill_a_disc():
    radii = np.hypot(*registry.make("ant-goal").problems.ids.T)
    assert radii.max() < 3
    assert np.mean(radii < 3 / math.sqrt(2)) == pytest.approx(0.5, abs=0.1)  # half of the area


def stepped(name: str, reward: str, row: int, start: tuple[int, float] | None = None) -> dict[str, np.ndarray]:
    """A few random steps of an environment: what happened, by name; `start` puts a coordinate somewhere before."""
    job = registry.make(name, reward=reward).source.job
    env = job.make(job.arguments[row])
    seen, draw = [env.reset(seed=3)[0]], np.random.RandomState(0)
    data, found = env.unwrapped.data, {"x": [], "torso": [], "actions": [], "rewards": [], "contact": []}
    if start is not None:
        data.qpos[start[0]] = start[1]
    for _ in range(6):
        before, action = data.qpos[0], draw.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        observation, earned, terminated, truncated, _ = env.step(action)
        assert not terminated
        assert not truncated
        seen.append(observation)
        told = [(data.qpos[0] - before) / 0.05, data.body("torso").xpos.copy(), action, earned, data.cfrc_ext.copy()]
        for values, value in zip(found.values(), told, strict=True):
            values.append(value)
    return {"seen": np.stack(seen), **{key: np.stack(values) for key, values in found.items()}}


def test_a_cheetah_sees_joints_velocities_and_where_it_is():
    told = stepped("cheetah-vel", "dense", 0)
    np.testing.assert_array_equal(told["seen"][1:, -3:], told["torso"])
    assert told["seen"].shape == (7, 20)


def test_a_cheetah_is_paid_for_its_velocity():
    velocity = registry.make("cheetah-vel").problems.ids[4, 0]
    told = stepped("cheetah-vel", "dense", 4)
    cost = 0.05 * (told["actions"] ** 2).sum(axis=1)
    np.testing.assert_allclose(told["rewards"], -abs(told["x"] - velocity) - cost, rtol=1e-5)
    told = stepped("cheetah-vel", "sparse", 4)
    off = abs(told["x"] - velocity)
    assert 0 < (off <= 0.5).sum() < len(off)
    np.testing.assert_allclose(told["rewards"], np.where(off <= 0.5, 2 - off, 0) - cost, rtol=1e-5)


def test_a_cheetah_is_paid_for_its_direction():
    for row, sign in enumerate((-1, 1)):
        told = stepped("cheetah-dir", "dense", row)
        cost = 0.05 * (told["actions"] ** 2).sum(axis=1)
        np.testing.assert_allclose(told["rewards"], sign * told["x"] - cost, rtol=1e-5)
        near, far = (stepped("cheetah-dir", "sparse", row, (0, x)) for x in (-3.0, -8.0))
        np.testing.assert_allclose(near["rewards"], -cost, rtol=1e-5)
        np.testing.assert_allclose(far["rewards"], sign * far["x"] - cost, rtol=1e-5)


def test_an_ant_is_paid_for_being_near_its_goal():
    goal = registry.make("ant-goal").problems.ids[5].astype(float)
    for reward, price, x in (("dense", 0.1, 0.0), ("sparse", 0.01, 0.0), ("sparse", 0.01, goal[0])):
        told = stepped("ant-goal", reward, 5, (0, x))
        way = told["torso"][:, :2] - goal
        distance = np.hypot(*way.T)
        paid = -abs(way).sum(axis=1) if reward == "dense" else np.where(distance <= 0.75, 1 - distance, -0.75)
        cost = price * (told["actions"] ** 2).sum(axis=1) + 5e-4 * (told["contact"].clip(-1, 1) ** 2).sum(axis=(1, 2))
        np.testing.assert_allclose(told["rewards"], paid - cost, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES[1:])
def test_episodes_repeat_with_their_seed(name):
    once, again = (stepped(name, "dense", 0) for _ in range(2))
    for key, values in once.items():
        np.testing.assert_array_equal(values, again[key])


@pytest.mark.slow
def test_they_can_be_filmed():
    job = registry.make("cheetah-vel").source.job
    try:
        env = drawing_env(job, 0)
        env.reset(seed=0)
        picture = picture_of(env, goal=False)
    except ScoutError as error:
        pytest.skip(str(error))
    assert picture.shape == (480, 480, 3)
    assert picture.std() > 5
