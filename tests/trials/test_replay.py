import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from scoutrl.envs import ProblemSet, Spaces, Spec, registry
from scoutrl.rl.actions import random_action
from scoutrl.trials import replay as ring
from scoutrl.trials.agent import Agent
from scoutrl.trials.sampler import DeviceSampler
from scoutrl.trials.trial import Episodes, Protocol, Trial

BATCH, CAPACITY, TIME = 2, 6, 2
KEY = jax.random.key(0)
SMALL = Discrete(3)


class Bare(Spec):
    """A family without a simulator."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def sample_goal(self, key):
        raise NotImplementedError


def small_family(observation: gymnasium.Space = SMALL, goal: gymnasium.Space | None = None) -> Bare:
    return Bare(ProblemSet([0, 1], [0], [1]), Spaces(observation, Discrete(4), goal), TIME)


def episodes(numbers: np.ndarray, observations=None, goals=None) -> Episodes:
    """One episode for each number, whose return it is."""
    shape = (len(numbers), 1, TIME)
    rewards = np.zeros(shape, np.float32)
    rewards[..., -1] = numbers[:, None]
    seen = np.zeros((len(numbers), 1, TIME + 1), np.int32) if observations is None else observations
    return Episodes(seen, np.ones(shape, np.int32), rewards, np.zeros(shape, bool), np.ones(shape, bool), goals)  # type: ignore[arg-type]


def trials(numbers, exploration: Episodes, exploitation: Episodes) -> Trial:
    """Trials whose problems are the given numbers."""
    problems = numbers[:, None].astype(np.int32)
    return Trial(problems, exploration, exploitation, np.zeros(len(numbers), bool))  # type: ignore[arg-type]


def empty(spec: Spec | None = None, capacity: int = CAPACITY) -> ring.Replay:
    return ring.init(spec or small_family(), Protocol(), capacity)


@jax.jit
def added(replay, numbers, priority):
    """With trials in it whose problems and returns are the given numbers."""
    blank = episodes(np.zeros(BATCH))
    rewards = jnp.zeros((BATCH, 1, TIME)).at[:, 0, -1].set(numbers.astype(jnp.float32))
    exploitation = eqx.tree_at(lambda e: e.rewards, blank, rewards)
    return ring.add(replay, trials(numbers, blank, exploitation), priority)


def filled(numbers, priority=None) -> ring.Replay:
    replay = empty()
    priority = np.zeros(len(numbers)) if priority is None else priority
    for i in range(0, len(numbers), BATCH):
        chosen = slice(i, i + BATCH)
        replay = added(replay, np.asarray(numbers[chosen], np.int32), np.asarray(priority[chosen], np.float32))
    return replay


draws = jax.jit(lambda replay, *rest: ring.draw(replay, ring.success_weights(replay), *rest), static_argnums=(1, 2, 3))


def drawn(replay, count=600, successes=0, prioritised=0) -> np.ndarray:
    """Problems of the trials drawn."""
    rows, _ = draws(replay, count, successes, prioritised, jax.random.key(0))
    return np.asarray(replay.trials.problem)[np.asarray(rows), 0]


def test_the_oldest_are_overwritten_first():
    replay, numbers = empty(), np.arange(6 * CAPACITY, dtype=np.int32)
    for count in range(BATCH, len(numbers) + 1, BATCH):
        replay = added(replay, numbers[count - BATCH : count], np.zeros(BATCH, np.float32))
        assert replay.capacity == CAPACITY
        assert replay.size == min(count, CAPACITY)
        assert int(replay.added) < 2 * CAPACITY
        stored = np.asarray(replay.trials.problem)[: int(replay.size), 0]
        assert sorted(stored) == numbers[max(0, count - CAPACITY) : count].tolist()


@pytest.mark.parametrize("count", [2, 4, 6, 8])
def test_what_was_never_stored_is_never_drawn(count):
    numbers = np.arange(1, count + 1)
    replay = filled(numbers, priority=numbers)
    stored = set(numbers[-CAPACITY:].tolist())
    assert set(drawn(replay, 600, 200, 200)) == stored
    # Below zero, an empty place would look better than every stored trial.
    worse = drawn(filled(-numbers, priority=-numbers), 600, 200, 200)
    assert {-number for number in worse} == stored


def test_shares_of_successes_and_of_trials_of_high_priority():
    replay = filled([1, 2, 3, 10, 11, 4], priority=np.array([0, 9, 0, 0, 0, 8]))
    problems = drawn(replay, 600, 200, 200)
    assert set(problems[:200]) == {10, 11}
    assert set(problems[200:400]) == {2, 4}
    assert set(problems[400:]) == {1, 2, 3, 10, 11, 4}
    # Each of them equally often.
    assert abs((problems[:200] == 10).sum() - 100) < 4 * 200**0.5 / 2
    counts = np.bincount(problems[400:], minlength=12)[[1, 2, 3, 10, 11, 4]]
    assert (abs(counts - 200 / 6) < 4 * (200 / 6) ** 0.5).all()


def test_where_none_is_above_the_mean_all_are_drawn():
    problems = drawn(filled([5] * 6, priority=np.ones(6)), 600, 200, 200)
    assert set(problems) == {5}
    replay = filled([3, 4, 3, 4], priority=np.zeros(4))
    assert set(drawn(replay, 600, 200, 200)[200:400]) == {3, 4}


@pytest.mark.slow
def test_successes_may_have_to_be_above_a_floor():
    replay = filled([-9, -9, 0, 0, 3, 4])
    weights = lambda floor: ring.success_weights(replay, floor)  # noqa: E731
    draws = lambda floor: np.asarray(ring.draw(replay, weights(floor), 300, 300, 0, jax.random.key(0))[0])  # noqa: E731
    assert set(replay.trials.problem[draws(-1e9), 0].tolist()) == {0, 3, 4}
    assert set(replay.trials.problem[draws(0.0), 0].tolist()) == {3, 4}
    assert set(replay.trials.problem[draws(4.0), 0].tolist()) == {-9, 0, 3, 4}


def test_every_kind_of_success_is_as_likely():
    """Problem 7 has succeeded once, problem 9 five times, with two goals."""
    numbers = np.array([9, 9, 9, 7, 9, 9, 0, 0])
    goals = np.array([1, 1, 1, 1, 1, 2, 0, 0])[:, None]
    given = trials(numbers, episodes(0 * numbers, goals=goals), episodes(numbers, goals=goals))
    replay = ring.add(empty(small_family(goal=SMALL), capacity=8), given, jnp.zeros(8))
    rows = np.asarray(draws(replay, 3000, 3000, 0, jax.random.key(0))[0])
    shares = np.bincount(rows, minlength=8) / 3000
    np.testing.assert_allclose(shares, [1 / 12, 1 / 12, 1 / 12, 1 / 3, 1 / 12, 1 / 3, 0, 0], atol=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("successes", "prioritised"), [(0, 0), (150, 0), (0, 300), (150, 300)])
def test_by_their_weights_draws_are_worth_what_the_trials_are_worth(successes, prioritised):
    """A guess is right in one trial of three and pays 1, else -1: it is worth -1/3 however its luck is sampled."""
    outcomes = np.array([1, -1, -1, 1, -1, -1])
    replay = filled(outcomes, priority=np.array([0, 0, 0, 5, 5, 0]))
    rows, weights = draws(replay, 600, successes, prioritised, jax.random.key(0))
    drawn = outcomes[np.asarray(rows)]
    assert (drawn * weights).mean() == pytest.approx(-1 / 3, abs=4 * (1.5 / 600) ** 0.5)
    assert weights.mean() == pytest.approx(1, abs=4 * (0.5 / 600) ** 0.5)
    assert (drawn.mean() > -0.2) == (successes > 0)
    np.testing.assert_array_equal(ring.take(replay, rows, weights).weight, weights)


def test_the_weight_of_a_row_is_its_chance_among_all_over_its_chance_in_the_draw():
    replay = filled([1, 2, 3, 10, 11, 4], priority=np.array([0, 9, 0, 0, 9, 0]))
    rows, weights = map(np.asarray, draws(replay, 40, 10, 10, jax.random.key(0)))
    for row, weight in zip(rows, weights, strict=True):
        chance = 20 / 6 + 10 / 2 * (row in (3, 4)) + 10 / 2 * (row in (1, 4))
        assert weight == pytest.approx(40 / 6 / chance)


def test_priorities_may_be_revised():
    replay = filled([1, 2, 3, 4, 5, 6], priority=np.ones(6))
    revised = jax.jit(ring.revise)(replay, jnp.array([2, 4]), jnp.array([7.0, 8.0]))
    assert np.asarray(revised.priority).tolist() == [1, 1, 7, 1, 8, 1]
    assert set(drawn(revised, 600, 0, 600)) == {3, 5}
    np.testing.assert_array_equal(revised.trials.problem, replay.trials.problem)


@pytest.mark.parametrize(
    ("space", "dtype"),
    [
        (Discrete(127), jnp.int8),
        (Discrete(128), jnp.int16),
        (Discrete(5, start=-128), jnp.int8),
        (Discrete(5, start=-129), jnp.int16),
        (Discrete(5, start=40_000), jnp.int32),
        (MultiDiscrete([3, 30_000]), jnp.int16),
        (MultiDiscrete(np.array([[3, 70_000], [2, 2]])), jnp.int32),
        (Box(0, 255, (2, 2, 3), np.uint8), jnp.uint8),
        (Box(-1, 1, (3,)), jnp.float32),
    ],
    ids=str,
)
def test_what_is_stored_comes_back_exactly_from_the_smallest_type(space, dtype):
    """The lowest and the highest value of a space, as observation and as goal."""
    if isinstance(space, Box):
        ends = [space.low, space.high]
    else:
        numbers = space.n if isinstance(space, Discrete) else space.nvec
        ends = [space.start + 0 * numbers, space.start + numbers - 1]
    kind = space.dtype if isinstance(space, Box) else np.int32
    one = np.stack([ends[0], ends[1], ends[0]]).astype(kind)
    seen, goals = np.stack([one[None], one[None] * 0 + one[1]]), np.stack([one[:1], one[1:2]])
    both = episodes(np.array([1.5, -2.5]), seen, goals)
    trial = trials(np.array([1, 2]), both, both)
    replay = empty(small_family(space, space), capacity=BATCH)
    assert replay.trials.exploration.observations.dtype == dtype
    assert replay.trials.exploration.goals.dtype == dtype
    assert replay.trials.exploration.actions.dtype == jnp.int8
    replay = ring.add(replay, trial, jnp.zeros(2))
    back = ring.take(replay, jnp.array([1, 0]))
    for found, given in zip(jax.tree.leaves(back), jax.tree.leaves(trial), strict=True):
        np.testing.assert_array_equal(found, given[::-1])
    assert back.exploration.observations.dtype == kind


class Random(Agent):
    """Acts at random, and keeps something of each decision."""

    space: gymnasium.Space = eqx.field(static=True)

    def begin(self, key):
        return None

    def begin_episode(self, memory, phase, goal, key):
        return None

    def act(self, memory, features, key, greedy):
        return random_action(self.space, key), None

    def keep(self, memory, action):
        return jnp.zeros(3)

    def observe(self, memory, action, step):
        return None


def test_a_replay_made_without_a_simulator_holds_real_trials(family):
    """Shapes and types are those of the trials that each built-in family gives; nothing has to be computed for it."""
    env, protocol = registry.make(family), Protocol(1, 2)
    spec, agent = Bare(env.problems, env.spaces, env.horizon), Random(env.spaces.action)
    given = jax.ShapeDtypeStruct((2, *env.problems.ids.shape[1:]), env.problems.ids.dtype), jax.random.split(KEY, 2)
    sample = lambda problems, keys: DeviceSampler(env).sample(lambda *_: agent, problems, keys, protocol)  # noqa: E731
    played = jax.eval_shape(sample, *given)
    assert played.exploitation.kept.shape == (2, 2, env.horizon, 3)
    replay = jax.eval_shape(lambda: ring.init(spec, protocol, 4))
    taken = jax.eval_shape(lambda replay: ring.take(replay, jnp.arange(2)), replay)
    without = eqx.tree_at(lambda t: (t.exploration.kept, t.exploitation.kept, t.priority), played, (None, None, None))
    assert shapes(taken) == shapes(without)
    # And what real trials leave behind is of the same types as what was there.
    after = jax.eval_shape(ring.add, replay, played, jax.ShapeDtypeStruct((2,), jnp.float32))
    assert shapes(after) == shapes(replay)


def shapes(tree) -> list[tuple]:
    leaves, structure = jax.tree.flatten(tree)
    return [structure, *((leaf.shape, leaf.dtype) for leaf in leaves)]


def test_what_is_kept_of_decisions_is_not_stored():
    both = eqx.tree_at(lambda e: e.kept, episodes(np.zeros(2)), np.ones((2, 1, TIME)), is_leaf=lambda x: x is None)
    replay = ring.add(empty(), trials(np.zeros(2), both, both), jnp.zeros(2))
    assert replay.trials.exploration.kept is replay.trials.exploitation.kept is None


@pytest.mark.slow
def test_an_empty_replay_holds_nothing_and_can_be_asked():
    replay = empty()
    assert (int(replay.added), int(replay.size), replay.capacity) == (0, 1, CAPACITY)
    assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(replay))
    assert set(drawn(replay, 30, 10, 10)) == {0}


@pytest.mark.slow
def test_whether_agents_were_informed_is_stored():
    given = eqx.tree_at(
        lambda t: t.informed, trials(np.zeros(2), *[episodes(np.zeros(2))] * 2), np.array([True, False])
    )
    assert ring.take(ring.add(empty(), given, jnp.zeros(2)), jnp.array([1, 0, 2])).informed.tolist() == [
        False,
        True,
        False,
    ]
