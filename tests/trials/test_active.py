"""Work for active rows only: the same answers, and none for those whose episode is over."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import scoutrl
from scoutrl.envs import MetaEnv, ProblemSet, Spaces, Step
from scoutrl.trials import rollout as rollouts
from scoutrl.trials.active import AT_ONCE, compact, skip_finished
from scoutrl.trials.agent import Agent
from scoutrl.trials.rollout import rollout
from scoutrl.trials.trial import Protocol


def double(shared, own):
    return {"sum": shared + 2 * own["x"], "key": jax.random.uniform(own["key"])}


def test_active_rows_get_what_they_would_get_alone():
    active = jax.random.bernoulli(jax.random.key(0), 0.4, (50,))
    own = {"x": jnp.arange(50.0), "key": jax.random.split(jax.random.key(1), 50)}
    some = jax.jit(jax.vmap(lambda active, own: skip_finished(double, active, jnp.float32(3), own)))(active, own)
    every = jax.vmap(lambda own: double(jnp.float32(3), own))(own)
    for name in ("sum", "key"):
        np.testing.assert_array_equal(some[name][active], every[name][active])


@pytest.mark.slow
def test_two_axes_at_once():
    active = jax.random.bernoulli(jax.random.key(0), 0.4, (3, 20))
    own = {"x": jnp.arange(60.0).reshape(3, 20), "key": jax.random.split(jax.random.key(1), (3, 20))}
    shared = jnp.arange(3.0)
    lanes = jax.vmap(lambda active, shared, own: skip_finished(double, active, shared, own), (0, None, 0))
    some, every = jax.vmap(lanes)(active, shared, own), jax.vmap(jax.vmap(double, (None, 0)))(shared, own)
    np.testing.assert_array_equal(some["sum"][active], every["sum"][active])


def test_what_belongs_to_each_may_be_shared_too():
    count = 2 * AT_ONCE
    active, own = jnp.arange(count) % 2 == 0, {"x": jnp.arange(1.0 * count), "key": jax.random.key(0)}
    axes = {"x": 0, "key": None}
    some = jax.vmap(lambda a, s, o: skip_finished(double, a, s, o), (0, 0, axes))(active, jnp.arange(1.0 * count), own)
    np.testing.assert_array_equal(some["sum"][active], 3 * np.arange(0, count, 2))


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 40])
def test_no_work_for_finished_rows(count):
    rows = []

    def note(shared, own):
        jax.debug.callback(lambda _: rows.append(1), own, ordered=False)
        return own + shared

    active = jnp.arange(40) >= 40 - count
    done = jax.jit(jax.vmap(lambda a, x: skip_finished(note, a, jnp.int32(1), x)))(active, jnp.arange(40))
    jax.effects_barrier()
    assert len(rows) == AT_ONCE * -(-count // AT_ONCE)
    np.testing.assert_array_equal(done[active], np.arange(40)[active] + 1)


def test_rows_hold_each_wanted_place_once():
    places, parts = compact(jnp.array([False, True, True, False, True]), 2)
    assert int(parts) == 2
    assert places.tolist()[:2] == [[1, 2], [4, 5]]


class Blind(Agent):
    """Acts at random."""

    def begin(self, key):
        return key

    def begin_episode(self, memory, phase, goal, key):
        return memory

    def act(self, memory, features, key, greedy):
        return jax.random.randint(key, (), 0, 4), memory

    def observe(self, memory, action, step):
        return memory


class Lamps(MetaEnv):
    """A picture of a lamp, which is in one of a table's colours; three steps."""

    table: Array
    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self):
        self.table, self.horizon = jnp.arange(12, dtype=jnp.uint8).reshape(4, 3), 3
        self.problems = ProblemSet(range(4), range(4), range(4), ["colour"])
        self.spaces = Spaces(gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8), gymnasium.spaces.Discrete(4))

    def reset(self, problem, key):
        return jnp.float32(0), self._picture(problem[0])

    def goal(self, state):
        return None

    def step(self, state, action, key):
        return state + 1, Step(self._picture(action), state, state > action, jnp.bool_(False))

    def render(self, state):
        return self._picture(0)

    def _picture(self, row):
        return jnp.broadcast_to(self.table[row], (8, 8, 3))


@pytest.mark.slow
def test_a_family_may_have_arrays_of_its_own():
    env = Lamps()
    play = eqx.filter_jit(eqx.filter_vmap(rollout, in_axes=(None, None, 0, 0, None)))
    trials = play(env, Blind(), env.problems.ids, jax.random.split(jax.random.key(0), 4), Protocol())
    episodes = trials.exploration
    colours = episodes.observations[:, 0, 1:, 0, 0]
    taken = episodes.mask[:, 0]
    np.testing.assert_array_equal(colours[taken], env.table[episodes.actions[:, 0]][taken])


@pytest.mark.slow
@pytest.mark.long
def test_trials_from_pixels_are_the_same_with_all_steps_taken(monkeypatch):
    env = scoutrl.make("sign", height=8, width=8)
    keys = jax.random.split(jax.random.key(0), 8)
    problems = env.problems.ids[jnp.arange(8) % 3]

    def play():
        return jax.jit(jax.vmap(lambda problem, key: rollout(env, Blind(), problem, key, Protocol())))(problems, keys)

    some = play()
    monkeypatch.setattr(rollouts, "is_image", lambda space: False)
    every = play()
    assert not some.exploitation.mask.all()
    for a, b in zip(jax.tree.leaves(some), jax.tree.leaves(every), strict=True):
        np.testing.assert_array_equal(a, b)
