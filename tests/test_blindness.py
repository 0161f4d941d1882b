"""At test time nothing can see the problem ID: problems that look the same are treated the same.

`Rooms` has IDs (secret, shade), and nothing that an agent observes depends on the shade.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probes.rooms import Rooms

from scoutrl import DeployedAgent, InteractiveEnv
from scoutrl.algorithms.base import Algorithm
from scoutrl.runs.config import make_algorithm, resolve
from scoutrl.trials.agent import Agent
from scoutrl.trials.rollout import rollout
from scoutrl.trials.trial import Protocol

FRESH = {"width": 8, "policy_width": 8, "trials_per_iteration": 4, "batch_size": 4}
REPLAYED = FRESH | {"capacity": 8}
SMALL = {
    "probes.scripted:Script": {},
    "dream": REPLAYED | {"memory_size": 8, "z": 4},
    "rl2": FRESH | {"memory_size": 8, "learner": "ppo"},
    "e-rl2": REPLAYED | {"memory_size": 8},
    "import": REPLAYED | {"memory_size": 8},
    "varibad": REPLAYED | {"memory_size": 8},
    "pearl": REPLAYED | {"z": 4},
    "metacure": REPLAYED | {"memory_size": 8, "z": 4},
}


QUICK = ("probes.scripted:Script", "dream")
# The contract tests find the same of all algorithms, in trials without a deployed agent.
LONG = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module", params=[pytest.param(n, marks=[] if n in QUICK else LONG) for n in SMALL])
def algorithm(request) -> Algorithm:
    return make_algorithm(resolve(request.param, "probes.rooms:Rooms", sets=SMALL[request.param]))


def lived(agent: DeployedAgent, world: InteractiveEnv, problem: int, seed: int, greedy: bool) -> list[int]:
    """All actions of a trial."""
    memory, actions = agent.begin(seed), []
    for episode, phase in enumerate(["exploration", "exploitation", "exploitation"]):
        observation = world.reset(problem, 10 * seed + episode)
        memory = agent.begin_episode(memory, phase, goal=world.goal if phase == "exploitation" else None)
        for _ in range(agent.horizon):
            action, memory = agent.act(memory, observation, greedy)
            answer = world.step(action)
            memory = agent.observe(memory, action, answer)
            actions.append(action)
            observation = answer[0]
    return actions


@pytest.mark.slow
@pytest.mark.parametrize("greedy", [True, False])
def test_a_deployed_agent_treats_alike_what_looks_alike(algorithm, greedy):
    env = Rooms()
    state = algorithm.init(env, jax.random.key(0))
    agent = DeployedAgent(algorithm.agent(env, state), env.spaces, env.horizon)
    world, rows = InteractiveEnv(env), env.problems.ids.tolist()
    for secret in range(4):
        first, second = (lived(agent, world, rows.index([secret, shade]), secret, greedy) for shade in (0, 1))
        assert first == second


def same_trials(env: Rooms, agent_for) -> bool:
    """Whether evaluation comes to the same in problems that differ in their shade only."""

    @jax.jit
    def trials(problems, keys):
        def one(problem, key):
            trial = rollout(env, agent_for(problem), problem, key, Protocol())
            return trial.exploration, trial.exploitation

        return jax.vmap(one)(problems, keys)

    keys = jax.random.split(jax.random.key(1), 8)
    secrets = jnp.arange(8) % 4
    a, b = (trials(jnp.stack([secrets, jnp.full(8, shade)], axis=1), keys) for shade in (0, 1))
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


@pytest.mark.slow
def test_evaluation_treats_alike_what_looks_alike(algorithm):
    env = Rooms()
    state = algorithm.init(env, jax.random.key(0))
    assert same_trials(env, lambda problem: algorithm.agent(env, state))


@pytest.mark.slow
def test_an_agent_that_is_told_the_problem_would_be_found_out():
    class Peeking(Agent):
        problem: jax.Array

        def begin(self, key):
            return jnp.int32(0)

        def begin_episode(self, memory, phase, goal, key):
            return memory

        def act(self, memory, features, key, greedy):
            return self.problem[1], memory

        def observe(self, memory, action, step):
            return memory

    assert not same_trials(Rooms(), Peeking)


@pytest.mark.slow
def test_no_weight_that_meets_the_problem_id_is_in_the_agent_of_dream():
    env = Rooms()
    dream = make_algorithm(resolve("dream", "probes.rooms:Rooms", sets=SMALL["dream"]))
    state = dream.init(env, jax.random.key(0))
    encoders = lambda s: (s.networks.encoder, s.targets.encoder)  # noqa: E731
    changed = eqx.tree_at(encoders, state, jax.tree.map(lambda x: x + 1, encoders(state)))
    assert not eqx.tree_equal(state, changed)
    assert eqx.tree_equal(dream.agent(env, state), dream.agent(env, changed))
