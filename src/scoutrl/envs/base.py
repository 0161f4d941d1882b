"""What a family of environments is: many problems that share observations, actions and horizon.

`Spec` is the part that algorithms, networks and replay see; `MetaEnv` adds a simulator, which only a sampler steps.
"""

import abc
from typing import Any, ClassVar, Literal

import equinox as eqx
import gymnasium
import jax
from jaxtyping import Array, Bool, Float, PRNGKeyArray, UInt8

from scoutrl.envs.describe import Description
from scoutrl.envs.problems import Problem, ProblemSet

Observation = Any
"""An array that lies in `spaces.observation`."""
Goal = Any
"""An array that lies in `spaces.goal`, or None where the family has no goals."""
Action = Any
"""An array that lies in `spaces.action`."""
State = Any
"""Whatever pytree of arrays a family keeps between two steps."""


class Spaces(eqx.Module):
    """What goes in and out of a family, in Gymnasium's terms.

    Admitted are `Discrete`, `MultiDiscrete` and `Box` (vectors of floats, or uint8 images [height, width, 3]).
    """

    observation: gymnasium.Space = eqx.field(static=True)
    """What the agent sees after each step."""
    action: gymnasium.Space = eqx.field(static=True)
    """What the agent does."""
    goal: gymnasium.Space | None = eqx.field(static=True, default=None)
    """The instruction drawn anew for each episode, shown when exploiting and hidden when exploring; None: no goals."""


class Step(eqx.Module):
    """What one environment step answers."""

    observation: Observation
    """The observation after the step."""
    reward: Float[Array, ""]
    """The reward of the step, finite."""
    terminated: Bool[Array, ""]
    """The episode ended for a reason of the problem's own (goal reached, agent gave up)."""
    truncated: Bool[Array, ""]
    """The episode ended because time was up. At `horizon` it always is, whatever a family says here."""


class Spec(eqx.Module):
    """All that an algorithm may know of a family: its problems, spaces and horizon, and how goals are distributed."""

    problems: eqx.AbstractVar[ProblemSet]
    """All problems of the family, and which are for training, for validation and for the final test."""
    spaces: eqx.AbstractVar[Spaces]
    """Observation, action and goal spaces."""
    horizon: eqx.AbstractVar[int]
    """The most steps an episode lasts, at least 1."""
    time_limit: ClassVar[Literal["ends", "bootstrap"]] = "ends"
    """What it means for learning that time is up: it "ends" the return, as it ends the score; or learners "bootstrap"
    there, valuing what would have come, in a family whose horizon is an artefact of its simulation."""

    @property
    def title(self) -> str:
        """What to call it in messages."""
        return type(self).__name__

    def ends_return(self, terminated: Bool[Array, ""], out_of_time: Bool[Array, ""]) -> Bool[Array, ""]:
        """Whether a step ends the return that is learnt from, be it because of the problem or of its time limit."""
        return terminated | out_of_time if self.time_limit == "ends" else terminated

    def describe(self) -> Description:
        """The family in words, for people; a family need not define this."""
        return Description()

    @abc.abstractmethod
    def sample_goal(self, key: PRNGKeyArray) -> Goal:
        """Draw the goal of an episode of some training problem; None in a family without goals."""


class MetaEnv(Spec):
    """A family as pure JAX functions of one single environment; `jax.vmap` makes batches.

    Three events are different things: an environment step, the end of an episode (the agent's memory of the trial is
    kept) and the end of a trial (the memory is wiped). Nothing here resets by itself.
    """

    @abc.abstractmethod
    def reset(self, problem: Problem, key: PRNGKeyArray) -> tuple[State, Observation]:
        """Start an episode of `problem` (one row of `problems.ids`, shape [k]); the key draws all that is random."""

    @abc.abstractmethod
    def goal(self, state: State) -> Goal:
        """The goal of the episode that `state` belongs to; None in a family without goals."""

    @abc.abstractmethod
    def step(self, state: State, action: Action, key: PRNGKeyArray) -> tuple[State, Step]:
        """Do `action` in `state`."""

    @abc.abstractmethod
    def render(self, state: State) -> UInt8[Array, "height width 3"]:
        """An RGB picture of `state`, for people to look at."""

    def picture(self, state: State, goal: bool) -> UInt8[Array, "height width 3"]:
        """The picture of `state`, with the goal in it or, where `goal` (static) is False, without.

        Pages and films leave the goal out while the agent is not shown it. A family without goals, or whose `render`
        does not show them, need not define this.
        """
        return self.render(state)

    def sample_goal(self, key: PRNGKeyArray) -> Goal:
        """The goal of an episode of a training problem drawn at random."""
        problem_key, reset_key = jax.random.split(key)
        state, _ = self.reset(self.problems.sample(problem_key, 1)[0], reset_key)
        return self.goal(state)
