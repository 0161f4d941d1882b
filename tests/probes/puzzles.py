"""Tiny families that can be enumerated: tables of what each action does in each place."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl import ProblemSet, Spaces, Step
from scoutrl.envs.enumerable import EnumerableEnv, Starts


class Puzzle(EnumerableEnv):
    """A state is (problem, place, steps); an episode starts in place 0 or, as often, in place 1."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    leads: np.ndarray
    """[problems, places, actions]: the place after."""
    pays: np.ndarray
    """[problems, places, actions]."""
    shows: np.ndarray
    """[problems, places]: what is observed in a place."""

    def __init__(self, leads, pays, shows, horizon):
        count, _, actions = leads.shape
        self.problems, self.horizon = ProblemSet(range(count), range(count), range(count)), horizon
        discrete = gymnasium.spaces.Discrete
        self.spaces = Spaces(discrete(int(shows.max()) + 1), discrete(actions))
        self.leads, self.pays, self.shows = leads, pays.astype(np.float32), shows

    def reset(self, problem, key):
        starts = self.starts(problem)
        i = jax.random.randint(key, (), 0, 2)
        return jax.tree.map(lambda x: x[i], (starts.states, starts.observations))

    def goal(self, state):
        return None

    def step(self, state, action, key):
        problem, place, steps = state
        after = jnp.asarray(self.leads)[problem, place, action]
        reward = jnp.asarray(self.pays)[problem, place, action]
        state = jnp.stack([problem, after, steps + 1])
        return state, Step(jnp.asarray(self.shows)[problem, after], reward, jnp.bool_(False), steps + 1 >= self.horizon)

    def render(self, state):
        return jnp.zeros((2, 2, 3), jnp.uint8)

    def starts(self, problem):
        states = jnp.array([[0, 0, 0], [0, 1, 0]], jnp.int32).at[:, 0].set(problem[0])
        return Starts(states, jnp.asarray(self.shows)[states[:, 0], states[:, 1]], jnp.array([0.5, 0.5]))

    def representative(self, problem):
        return problem

    def restrictions(self):
        return {}


def two_arms() -> Puzzle:
    """One step: the first arm pays 3/4 in both problems, the second nothing in one and 1 in the other."""
    pays = np.array([[0.75, 0.0], [0.75, 1.0]])[:, None].repeat(2, axis=1)
    return Puzzle(np.zeros((2, 2, 2), int), pays, np.zeros((2, 2), int), horizon=1)


def scrambled(seed: int) -> Puzzle:
    """Four problems of four places and three actions, drawn at random; three steps."""
    draw = np.random.default_rng(seed)
    size = (4, 4, 3)
    return Puzzle(draw.integers(4, size=size), draw.integers(3, size=size), draw.integers(2, size=size[:2]), horizon=3)
