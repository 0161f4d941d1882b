"""Environments with the interfaces of JAX suites: as small as can be, and without any of those packages."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


class Discrete:
    def __init__(self, n, shape=()):
        self.n, self.shape, self.dtype = n, shape, jnp.int32


class Box:
    def __init__(self, low, high, shape, dtype=jnp.float32):
        self.low, self.high, self.shape, self.dtype = low, high, shape, dtype


class DiscreteArray:
    """A spec of dm_env."""

    def __init__(self, num_values):
        self.num_values, self.shape, self.dtype = num_values, (), np.dtype(np.int32)
        self.minimum, self.maximum = 0, num_values - 1


@dataclasses.dataclass(frozen=True)
class Params:
    stride: float = 1.0
    max_steps_in_episode: int = 5


class WalkState(eqx.Module):
    x: Any
    time: Any


class Walk:
    """gymnax before version 1: a walk on a line that ends at 3, and `done` says of time as well."""

    name = "Walk-v0"

    def observation_space(self, params):
        return Box(-jnp.inf, jnp.inf, (2,))

    def action_space(self, params=None):
        return Discrete(3)

    def reset_env(self, key, params):
        state = WalkState(0.0, 0)  # Python's numbers, as there
        return self._seen(state), state

    def step_env(self, key, state, action, params):
        state = WalkState(state.x + (action - 1) * params.stride, state.time + 1)
        return self._seen(state), state, state.x, *self._done(state, params), {}

    def is_terminal(self, state, params):
        return (state.x >= 3) | (state.time >= params.max_steps_in_episode)

    def _seen(self, state):
        return jnp.stack([jnp.float32(state.x), jnp.float32(state.time)])

    def _done(self, state, params) -> tuple:
        return (self.is_terminal(state, params),)


class WalkOf1(Walk):
    """gymnax of version 1: `done` says of the problem's own ends, `is_truncated` of time."""

    def is_terminal(self, state, params):
        return state.x >= 3

    def is_truncated(self, state, params):
        return state.time >= params.max_steps_in_episode


class WalkOf6(WalkOf1):
    """Both ends in the answer."""

    def _done(self, state, params):
        return self.is_terminal(state, params), self.is_truncated(state, params)


class TimeStep(eqx.Module):
    state: Any
    step_type: Any
    reward: Any
    discount: Any
    observation: Any


class Rule(eqx.Module):
    """A rule set: the cell that pays, as codes."""

    place: Any
    hint: Any


class MiniParams(eqx.Module):
    rule: Rule
    max_steps: int = eqx.field(static=True, default=4)


class Mini:
    """xminigrid: a cell of a 2x2 grid pays, once; the state keeps a key."""

    def num_actions(self, params):
        return 4

    def observation_shape(self, params):
        return 2, 2, 1

    def reset(self, params, key):
        return TimeStep((key, jnp.int32(0)), jnp.uint8(0), 0.0, 1.0, jnp.zeros((2, 2, 1), jnp.uint8))

    def step(self, params, timestep, action):
        key, steps = timestep.state
        key, _ = jax.random.split(key)
        place = params.rule.place[0] * 2 + params.rule.place[1]
        found, late = action == place, steps + 1 == params.max_steps
        grid = jnp.zeros(4, jnp.uint8).at[action].set(jnp.where(found, 7, 1).astype(jnp.uint8)).reshape(2, 2, 1)
        kind = jnp.where(found | late, 2, 1).astype(jnp.uint8)
        return TimeStep((key, steps + 1), kind, jnp.where(found, 1.0, 0.0), jnp.where(found, 0.0, 1.0), grid)


class Rooms:
    """jumanji: state and TimeStep, specs, what is different in its attributes, and a key in the state.

    As `probes.rooms`, without goals.
    """

    time_limit = 2

    def __init__(self, secret=0):
        self.secret = secret
        self.observation_spec = DiscreteArray(5)
        self.action_spec = DiscreteArray(4)

    def reset(self, key):
        return (key, jnp.int32(0)), TimeStep(None, jnp.int8(0), 0.0, 1.0, jnp.int32(0))

    def step(self, state, action):
        key, steps = state
        seen = jnp.where(action == 0, self.secret + 1, 0)
        last = jnp.where(steps + 1 >= self.time_limit, 2, 1).astype(jnp.int8)
        return (key, steps + 1), TimeStep(None, last, jnp.float32(action == self.secret), 1.0, seen)


class OwnEnds(eqx.Module):
    """navix: a step says of itself how it ended."""

    t: Any
    observation: Any
    reward: Any
    step_type: Any

    def is_termination(self):
        return self.step_type == 2

    def is_truncation(self):
        return self.step_type == 1


class Count(eqx.Module):
    """navix: counts up to `most`, which ends it; time ends it at 3."""

    most: Any = 2
    max_steps: int = 3

    observation_space = Box(0, 9, (), jnp.int32)
    action_space = Discrete(2)

    def reset(self, key):
        return OwnEnds(jnp.int32(0), jnp.int32(0), 0.0, jnp.int32(0))

    def step(self, timestep, action):
        t, seen = timestep.t + 1, timestep.observation + action
        kind = jnp.where(seen >= self.most, 2, jnp.where(t >= self.max_steps, 1, 0))
        return OwnEnds(t, seen, jnp.float32(seen), kind)


class Opt(eqx.Module):
    gravity: Any


class System(eqx.Module):
    opt: Opt


class BraxState(eqx.Module):
    q: Any
    obs: Any
    reward: Any
    done: Any
    info: dict


class Fall:
    """brax: something falls unless it is pushed up; on the ground it ends."""

    observation_size = 1
    action_size = 1

    def __init__(self):
        self.sys = System(Opt(1.0))

    @property
    def unwrapped(self):
        return self

    def reset(self, rng):
        return BraxState(jnp.float32(3), jnp.full(1, 3.0), jnp.float32(0), jnp.float32(0), {})

    def step(self, state, action):
        q = state.q + action[0] - self.sys.opt.gravity
        return BraxState(q, q[None], q, jnp.float32(q <= 0), state.info)


class Episodes:
    """brax's EpisodeWrapper: ends episodes by time, and writes into the state that it is given."""

    def __init__(self, env, episode_length):
        self.env, self.episode_length = env, episode_length

    def __getattr__(self, name):
        if name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    def reset(self, rng):
        state = self.env.reset(rng)
        state.info.update(steps=jnp.zeros(()), truncation=jnp.zeros(()))
        return state

    def step(self, state, action):
        state.info["steps"] = state.info["steps"] + 1
        state = self.env.step(state, action)
        late = state.info["steps"] >= self.episode_length
        done = jnp.where(late, 1.0, state.done)
        state.info["truncation"] = jnp.where(late, 1 - state.done, 0.0)
        return BraxState(state.q, state.obs, state.reward, done, state.info)


class AutoResetWrapper(Episodes):
    """By its name one that begins episodes by itself."""
