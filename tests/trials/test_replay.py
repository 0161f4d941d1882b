import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from scoutrl.envs import Spaces
from scoutrl.trials import replay as ring
from scoutrl.trials.trial import Episodes, Trial

BATCH, CAPACITY, TIME = 2, 6, 2
SMALL = Discrete(3)


class Family:
    """All that a replay asks of a family."""

    def __init__(self, observation: gymnasium.Space = SMALL, goal: gymnasium.Space | None = None):
        self.spaces = Spaces(observation, Discrete(4), goal)


def episodes(numbers: np.ndarray, observations=None, goals=None) -> Episodes:
    """One episode for each number, whose return it is."""
    shape = (len(numbers), 1, TIME)
    rewards = np.zeros(shape, np.float32)
    rewards[..., -1] = numbers[:, None]
    seen = np.zeros((len(numbers), 1, TIME + 1), np.int32) if observations is None else observations
    return Episodes(seen, np.ones(shape, np.int32), rewards, np.zeros(shape, bool), np.ones(shape, bool), goals)  # type: ignore[arg-type]


def trials(numbers) -> Trial:
    """Trials whose problem and return are the given numbers."""
    numbers = np.asarray(numbers)
    return Trial(numbers[:, None].astype(np.int32), episodes(0 * numbers), episodes(numbers))  # type: ignore[arg-type]


def empty(env=None, example=None, capacity=CAPACITY) -> ring.Replay:
    example = trials([0]) if example is None else example
    return ring.init(env or Family(), jax.tree.map(lambda x: x[0], example), capacity)  # type: ignore[arg-type]


@jax.jit
def added(replay, numbers, interest):
    blank = trials(np.zeros(BATCH))
    rewards = jnp.zeros((BATCH, 1, TIME)).at[:, 0, -1].set(numbers.astype(jnp.float32))
    exploitation = eqx.tree_at(lambda e: e.rewards, blank.exploitation, rewards)
    return ring.add(Family(), replay, Trial(numbers[:, None], blank.exploration, exploitation), interest)  # type: ignore[arg-type]


def filled(numbers, interest=None) -> ring.Replay:
    replay = empty()
    interest = np.zeros(len(numbers)) if interest is None else interest
    for i in range(0, len(numbers), BATCH):
        chosen = slice(i, i + BATCH)
        replay = added(replay, np.asarray(numbers[chosen], np.int32), np.asarray(interest[chosen], np.float32))
    return replay


draws = jax.jit(lambda replay, *rest: ring.draw(replay, ring.successes(replay), *rest), static_argnums=(1, 2, 3))


def drawn(replay, count=600, successes=0, interesting=0) -> np.ndarray:
    """Problems of the trials drawn."""
    rows = draws(replay, count, successes, interesting, jax.random.key(0))
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
    replay = filled(numbers, interest=numbers)
    stored = set(numbers[-CAPACITY:].tolist())
    assert set(drawn(replay, 600, 200, 200)) == stored
    # Below zero, an empty place would look better than every stored trial.
    worse = drawn(filled(-numbers, interest=-numbers), 600, 200, 200)
    assert {-number for number in worse} == stored


def test_shares_of_successes_and_of_interesting_trials():
    replay = filled([1, 2, 3, 10, 11, 4], interest=np.array([0, 9, 0, 0, 0, 8]))
    problems = drawn(replay, 600, 200, 200)
    assert set(problems[:200]) == {10, 11}
    assert set(problems[200:400]) == {2, 4}
    assert set(problems[400:]) == {1, 2, 3, 10, 11, 4}
    # Each of them equally often.
    assert abs((problems[:200] == 10).sum() - 100) < 4 * 200**0.5 / 2
    counts = np.bincount(problems[400:], minlength=12)[[1, 2, 3, 10, 11, 4]]
    assert (abs(counts - 200 / 6) < 4 * (200 / 6) ** 0.5).all()


def test_where_none_is_above_the_mean_all_are_drawn():
    problems = drawn(filled([5] * 6, interest=np.ones(6)), 600, 200, 200)
    assert set(problems) == {5}
    replay = filled([3, 4, 3, 4], interest=np.zeros(4))
    assert set(drawn(replay, 600, 200, 200)[200:400]) == {3, 4}


def test_successes_may_have_to_be_above_a_floor():
    replay = filled([-9, -9, 0, 0, 3, 4])
    chances = lambda floor: ring.successes(replay, floor)  # noqa: E731
    draws = lambda floor: np.asarray(ring.draw(replay, chances(floor), 300, 300, 0, jax.random.key(0)))  # noqa: E731
    assert set(replay.trials.problem[draws(-1e9), 0].tolist()) == {0, 3, 4}
    assert set(replay.trials.problem[draws(0.0), 0].tolist()) == {3, 4}
    assert set(replay.trials.problem[draws(4.0), 0].tolist()) == {-9, 0, 3, 4}


def test_every_kind_of_success_is_as_likely():
    """Problem 7 has succeeded once, problem 9 five times, with two goals."""
    numbers = np.array([9, 9, 9, 7, 9, 9, 0, 0])
    goals = np.array([1, 1, 1, 1, 1, 2, 0, 0])[:, None]
    lived = Trial(numbers[:, None].astype(np.int32), episodes(0 * numbers, goals=goals), episodes(numbers, goals=goals))  # type: ignore[arg-type]
    env = Family(goal=SMALL)
    replay = ring.add(env, empty(env, lived, capacity=8), lived, jnp.zeros(8))  # type: ignore[arg-type]
    rows = np.asarray(draws(replay, 3000, 3000, 0, jax.random.key(0)))
    shares = np.bincount(rows, minlength=8) / 3000
    np.testing.assert_allclose(shares, [1 / 12, 1 / 12, 1 / 12, 1 / 3, 1 / 12, 1 / 3, 0, 0], atol=0.03)


def test_interest_may_be_revised():
    replay = filled([1, 2, 3, 4, 5, 6], interest=np.ones(6))
    revised = jax.jit(ring.revise)(replay, jnp.array([2, 4]), jnp.array([7.0, 8.0]))
    assert np.asarray(revised.interest).tolist() == [1, 1, 7, 1, 8, 1]
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
    lived = episodes(np.array([1.5, -2.5]), seen, goals)
    trial, env = Trial(np.array([[1], [2]], np.int32), lived, lived), Family(space, space)  # type: ignore[arg-type]
    replay = empty(env, trial, capacity=BATCH)
    assert replay.trials.exploration.observations.dtype == dtype
    assert replay.trials.exploration.goals.dtype == dtype
    assert replay.trials.exploration.actions.dtype == jnp.int8
    replay = ring.add(env, replay, trial, jnp.zeros(2))  # type: ignore[arg-type]
    back = ring.take(replay, jnp.array([1, 0]))
    for found, given in zip(jax.tree.leaves(back), jax.tree.leaves(trial), strict=True):
        np.testing.assert_array_equal(found, given[::-1])
    assert back.exploration.observations.dtype == kind
