"""The deployed agent in a plain Python loop."""

import gymnasium
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms
from probes.scripted import Notes, Scripted

import scoutrl
from scoutrl import DeployedAgent, InteractiveEnv, ScoutError, Spaces, Step
from scoutrl.trials.agent import Agent, Phase


@pytest.fixture(scope="module")
def agent(scripted_run) -> DeployedAgent:
    return scoutrl.load(scripted_run)


def play(agent, world, memory, phase, problem, seed, as_step=False):
    """One episode; its return and the memory after it."""
    observation = world.reset(problem, seed)
    memory = agent.begin_episode(memory, phase, goal=world.goal if phase == "exploitation" else None)
    over, total = False, 0.0
    while not over:
        action, memory = agent.act(memory, observation)
        assert type(action) is int
        observation, reward, terminated, truncated = world.step(action)
        answer = (observation, reward, terminated, truncated)
        memory = agent.observe(memory, action, Step(*answer) if as_step else (*answer, {}))
        over, total = terminated or truncated, total + reward
    return total, memory


@pytest.mark.parametrize("as_step", [False, True])
def test_a_plain_loop_explores_and_then_exploits(agent, as_step):
    world = InteractiveEnv(Rooms())
    assert (agent.explorations, agent.exploitations, agent.horizon) == (1, 2, 2)
    for problem in (0, 3, 7):
        _, memory = play(agent, world, agent.begin(seed=0), "exploration", problem, 1)
        for seed in range(agent.exploitations):
            total, memory = play(agent, world, memory, "exploitation", problem, seed, as_step)
            assert total == 2.0


def test_a_memory_can_be_gone_on_from_twice(agent):
    memory = agent.begin_episode(agent.begin(), "exploitation", goal=1)
    assert agent.act(memory, 0, greedy=False)[0] == agent.act(memory, 0, greedy=False)[0]


def test_noise_comes_from_the_seed_alone(agent):
    def actions(seed):
        memory = agent.begin_episode(agent.begin(seed), "exploitation", goal=0)
        found = []
        for _ in range(20):
            action, memory = agent.act(memory, 0, greedy=False)
            found.append(action)
        return found

    assert actions(1) == actions(1)
    assert actions(1) != actions(2)
    assert len(set(actions(1))) > 1


def test_mistakes_are_named(agent):
    fresh = agent.begin()
    memory = agent.begin_episode(fresh, "exploration")
    for mistake, message in [
        (lambda: agent.act(fresh, 0), "call begin_episode first"),
        (lambda: agent.act(memory, 5), "the observation must be a whole number from 0 to 4; it is 5"),
        (lambda: agent.act(memory, [0, 0]), r"it has shape \(2,\)"),
        (lambda: agent.act(memory, [[0], [0, 1]]), "the observation must be"),
        (lambda: agent.act(memory, "left"), "the observation must be"),
        (lambda: agent.act(memory, 0.5), "the observation must be"),
        (lambda: agent.begin_episode(memory, "explore"), "no phase 'explore'"),
        (lambda: agent.begin_episode(memory, "exploitation"), "needs goal="),
        (lambda: agent.begin_episode(memory, "exploration", goal=0), "leave out goal="),
        (lambda: agent.begin_episode(memory, "exploitation", goal=2), "the goal must be a whole number from 0 to 1"),
        (lambda: agent.observe(memory, 9, (0, 0.0, False, False)), "the action must be a whole number from 0 to 3"),
        (lambda: agent.observe(memory, 0, (0, 0.0)), "a step is"),
        (lambda: agent.observe(memory, 0, (0, float("nan"), False, False)), "one finite number"),
        (lambda: agent.observe(memory, 0, (9, 0.0, False, False)), "the observation must be"),
    ]:
        with pytest.raises(ScoutError, match=message):
            mistake()


def test_verbs_are_compiled_once_per_phase(scripted_run, monkeypatch):
    traced = []
    verb = Scripted.act

    def act(self, memory, features, key, greedy):
        traced.append(memory.phase)
        return verb(self, memory, features, key, greedy)

    monkeypatch.setattr(Scripted, "act", act)
    agent, world = scoutrl.load(scripted_run), InteractiveEnv(Rooms())
    for problem in range(3):
        memory = agent.begin(problem)
        for phase in ("exploration", "exploitation", "exploitation"):
            _, memory = play(agent, world, memory, phase, problem, 0)
    assert traced == ["exploration", "exploitation"]


def test_continuous_actions_and_images_are_arrays():
    class Painter(Agent):
        weight: object

        def begin(self, key):
            return Notes(jnp.int32(0), jnp.int32(0), Phase.EXPLORATION)

        def begin_episode(self, memory, phase, goal, key):
            return memory

        def act(self, memory, features, key, greedy):
            return self.weight * features.mean(), memory

        def observe(self, memory, action, step):
            return memory

    box = gymnasium.spaces.Box
    spaces = Spaces(box(0, 255, (4, 5, 3), np.uint8), box(-1, 1, (2,), np.float32))
    agent = DeployedAgent(Painter(jnp.array([0.5, -0.5])), spaces, 3)
    memory = agent.begin_episode(agent.begin(), "exploitation")
    image = np.ones((4, 5, 3), np.uint8)
    action, memory = agent.act(memory, image)
    np.testing.assert_array_equal(action, [0.5, -0.5])
    agent.observe(memory, action, (image, 0, False, False))
    with pytest.raises(ScoutError, match=r"numbers of shape \(2,\) between -1 and 1"):
        agent.observe(memory, [2.0, 0.0], (image, 0, False, False))
    with pytest.raises(ScoutError, match=r"between 0 and 255"):
        agent.act(memory, image.astype(int) * 300)


def test_several_seeds_are_loaded_one_by_one(scripted_seeds):
    with pytest.raises(ScoutError, match=r"holds 2 seeds; name one of them: .*1, .*2\."):
        scoutrl.load(scripted_seeds)
    assert isinstance(scoutrl.load(str(scripted_seeds / "1")), DeployedAgent)
