"""A family of environments of a suite: stepped as pure JAX, like a family written for Scout."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, final

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from scoutrl import prng
from scoutrl.envs.base import Action, Goal, MetaEnv, Observation, Spaces, Step
from scoutrl.envs.describe import Description
from scoutrl.envs.problems import Problem, ProblemSet
from scoutrl.envs.raised import returned
from scoutrl.envs.spot import spot
from scoutrl.envs.suites.base import Suite, Values
from scoutrl.envs.suites.picture import picture
from scoutrl.envs.suites.rows import Rows
from scoutrl.envs.suites.spaces import Reader


class SuiteState(eqx.Module):
    """An episode in progress."""

    inner: Any
    """The suite's own state."""
    values: dict[str, Any]
    """What is different in the problem."""
    seen: Observation
    """The last observation, for pictures."""


@dataclasses.dataclass(frozen=True, eq=False)
class Looks:
    """A suite's environments in pictures and words, for people."""

    draw: Callable[[Any], Any] | None
    """From the suite's own state to a picture; None: what is seen is drawn."""
    spot: Callable[[Any], Any] | None
    """From the suite's own state to column and row of the agent in that picture; None: it is nowhere."""
    description: Description
    """The family in words."""


@final
class Simulator:
    """A suite with what goes between it and an agent. Two are the same if they are one object."""

    def __init__(self, suite: Suite, observations: Reader, actions: Reader, looks: Looks):
        self.suite = suite
        """How one environment is reset and stepped."""
        self.observations = observations
        """What reads the suite's own observations."""
        self.actions = actions
        """What makes the suite's own actions."""
        self.looks = looks
        """What people see of it."""
        self._types: Any = None

    def look(self, values: Values, name: str) -> None:
        """Trace a reset and a step, whose state has the types that every state is brought to.

        Raises:
            ScoutError: one of them raises something.
        """
        space, key = self.actions.space, prng.key(0)
        action = jnp.zeros(space.shape or (), np.float32 if isinstance(space, gymnasium.spaces.Box) else np.int32)
        state, _ = returned(f"{name}.reset", self.suite.reset, values, key)
        after, _ = returned(f"{name}.step", self.step, values, state, action, key)
        if jax.tree.structure(state) == jax.tree.structure(after):
            self._types = jax.tree.map(lambda leaf: leaf.dtype, after)

    def reset(self, values: Values, key: PRNGKeyArray) -> tuple[Any, Observation]:
        """Start an episode. Suites begin to count with Python's numbers, and go on with arrays: all are arrays here."""
        state, seen = self.suite.reset(values, key)
        if self._types is not None:
            state = jax.tree.map(_of_type, state, self._types)
        return state, self.observations.read(seen)

    def step(self, values: Values, state: Any, action: Action, key: PRNGKeyArray) -> tuple[Any, Step]:
        """Do an agent's action."""
        state, answer = self.suite.step(values, state, self.actions.read(action), key)
        return state, Step(
            observation=self.observations.read(answer.observation),
            reward=jnp.asarray(answer.reward, jnp.float32),
            terminated=jnp.asarray(answer.terminated, bool),
            truncated=jnp.asarray(answer.truncated, bool),
        )


@final
class SuiteFamily(MetaEnv):
    """A family of environments in JAX, made by `scoutrl.from_gymnax`, `from_timestep` or `from_brax`."""

    problems: ProblemSet
    spaces: Spaces
    rows: Rows
    """What is different from problem to problem."""
    horizon: int = eqx.field(static=True)
    name: str = eqx.field(static=True)
    """What to call it."""
    simulator: Simulator = eqx.field(static=True)
    """How its environments are stepped."""
    time_limit: Literal["ends", "bootstrap"] = eqx.field(static=True)  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[SuiteState, Observation]:
        """Start an episode of the problem with this ID."""
        values = self.rows.of(problem)
        inner, seen = self.simulator.reset(values, key)
        return SuiteState(inner, values, seen), seen

    def goal(self, state: SuiteState) -> Goal:
        """None: suites have no goals that differ from episode to episode."""
        return None

    def step(self, state: SuiteState, action: Action, key: PRNGKeyArray) -> tuple[SuiteState, Step]:
        """Do `action`; nothing resets by itself."""
        inner, answer = self.simulator.step(state.values, state.inner, action, key)
        return SuiteState(inner, state.values, answer.observation), answer

    def render(self, state: SuiteState) -> UInt8[jax.Array, "height width 3"]:
        """What `render=` draws, or the observation: a picture as it is, numbers as bars."""
        draw = self.simulator.looks.draw
        return picture(self.spaces.observation, state.seen) if draw is None else draw(state.inner)

    def describe(self) -> Description:
        """What `describe=` says."""
        return self.simulator.looks.description


@spot.register
def _(env: SuiteFamily, state: SuiteState) -> Float[Array, "2"]:
    find = env.simulator.looks.spot
    return jnp.full(2, jnp.nan) if find is None else jnp.asarray(find(state.inner), jnp.float32)


def _of_type(leaf: Any, dtype: Any) -> jax.Array:
    return leaf if jnp.issubdtype(dtype, jax.dtypes.prng_key) else jnp.asarray(leaf, dtype)
