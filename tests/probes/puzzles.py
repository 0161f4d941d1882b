"""Tiny families that can be enumerated: tables of what each action does in each place."""

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from scoutrl import ProblemSet, Spaces, Step
from scoutrl.envs.enumerable import EnumerableEnv, Starts


class Puzzle(EnumerableEnv):
    """A state is (problem, place, steps); an episode starts in one of the first places, each as likely as the other."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)
    leads: np.ndarray
    """[problems, places, actions]: the place after."""
    pays: np.ndarray
    """[problems, places, actions]."""
    shows: np.ndarray
    """[problems, places]: what is observed in a place."""
    begins: int = eqx.field(static=True)
    """In how many places an episode may start."""

    def __init__(self, leads, pays, shows, horizon, begins=2):
        count, _, actions = leads.shape
        self.problems, self.horizon = ProblemSet(range(count), range(count), range(count)), horizon
        discrete = gymnasium.spaces.Discrete
        self.spaces = Spaces(discrete(int(shows.max()) + 1), discrete(actions))
        self.leads, self.pays, self.shows, self.begins = leads, pays.astype(np.float32), shows, begins

    def reset(self, problem, key):
        starts = self.starts(problem)
        i = jax.random.randint(key, (), 0, self.begins)
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
        places = jnp.arange(self.begins, dtype=jnp.int32)
        zero = jnp.zeros_like(places)
        states = jnp.stack([zero + problem[0], places, zero], axis=1)
        return Starts(states, jnp.asarray(self.shows)[problem[0], places], jnp.full(self.begins, 1 / self.begins))

    def representative(self, problem):
        return problem

    def restrictions(self):
        return {}


def two_arms() -> Puzzle:
    """One step: the first arm pays 3/4 in both problems, the second nothing in one and 1 in the other."""
    pays = np.array([[0.75, 0.0], [0.75, 1.0]])[:, None].repeat(2, axis=1)
    return Puzzle(np.zeros((2, 2, 2), int), pays, np.zeros((2, 2), int), horizon=1)


def three_arms(looks: int, horizon: int) -> Puzzle:
    """One of three arms pays 1, once; as many as `looks` further actions show which it is. All else pays nothing."""
    problem, place, action = np.ogrid[:3, :5, : 3 + looks]
    pays = (place == 0) & (action == problem)
    # Place 1 is after an arm, the places from 2 on after a look, in which the arms can still be pulled.
    leads = np.where(action < 3, 1, 0) + 0 * problem + 0 * place
    shows = np.zeros((3, 5), int)
    if looks:
        leads, shows[:, 2] = np.where((action >= 3) & (place != 1), 2, leads), 1 + np.arange(3)
        pays = pays | ((place == 2) & (action == problem))
    return Puzzle(leads.astype(int), pays, shows, horizon, begins=1)


def wings() -> Puzzle:
    """The hall shows which wing has the sign: the left one is a room, the right one begins with a corridor.

    A problem is (wing, secret). The arms 2, 3, 4 can be pulled at the start only, and once; the one of the secret pays
    1. Actions 0 and 1 lead to the hall, and on to the left and to the right.
    """
    wing, secret = np.arange(6) // 3, np.arange(6) % 3
    start, hall, room, corridor, right_room, over = range(6)
    one = np.zeros((6, 5), int)
    one[start] = hall, hall, over, over, over
    one[hall] = room, corridor, hall, hall, hall
    one[room] = room, hall, room, room, room
    one[corridor] = hall, right_room, corridor, corridor, corridor
    one[right_room] = corridor, right_room, right_room, right_room, right_room
    one[over] = over
    pays, shows = np.zeros((6, 6, 5)), np.zeros((6, 6), int)
    pays[np.arange(6), start, 2 + secret] = 1
    shows[:, hall] = 1 + wing
    shows[:, room] = np.where(wing == 0, 3 + secret, 0)
    shows[:, right_room] = np.where(wing == 1, 3 + secret, 0)
    return Puzzle(np.tile(one, (6, 1, 1)), pays, shows, horizon=7, begins=1)


def scrambled(seed: int, begins: int = 2) -> Puzzle:
    """Four problems of four places and three actions, drawn at random; three steps."""
    draw = np.random.default_rng(seed)
    size = (4, 4, 3)
    leads, pays = draw.integers(4, size=size), draw.integers(3, size=size)
    return Puzzle(leads, pays, draw.integers(2, size=size[:2]), horizon=3, begins=begins)
