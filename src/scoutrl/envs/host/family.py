"""A family whose environments are stepped on the host: what algorithms see of it, and how its environments are made."""

import os
from typing import Any, Literal, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs.base import Goal, Spaces, Spec
from scoutrl.envs.describe import Description
from scoutrl.envs.problems import ProblemSet
from scoutrl.pool.job import Job


@final
class Source:
    """Where a family's environments come from. Two are the same if they are one object."""

    def __init__(self, job: Job, workers: int | None, patience: float, words: Description | None = None):
        self.job = job
        """How environments are made, read and stepped."""
        self.workers = workers if workers is not None else cores()
        """Processes that step them."""
        self.patience = patience
        """Seconds that one environment may take to be made, reset or stepped before it counts as hanging."""
        self.words = words or Description()
        """The family in words, for people."""


@final
class HostFamily(Spec):
    """A family of Gymnasium environments, one for each problem, made by `scoutrl.from_gymnasium`."""

    problems: ProblemSet
    spaces: Spaces
    goals: np.ndarray | None
    """[goals, *goal]: goals of episodes of training problems, to draw from; None without goals."""
    horizon: int = eqx.field(static=True)
    name: str = eqx.field(static=True)
    """What to call it."""
    source: Source = eqx.field(static=True)
    """Its environments."""
    time_limit: Literal["ends", "bootstrap"] = eqx.field(static=True)  # pyright: ignore[reportIncompatibleVariableOverride]

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def describe(self) -> Description:
        """As far as it is known."""
        return self.source.words

    def sample_goal(self, key: PRNGKeyArray) -> Goal:
        """One of the goals that were seen when the family was made."""
        if self.goals is None:
            return None
        return jnp.asarray(self.goals)[jax.random.randint(key, (), 0, len(self.goals))]

    def observation(self, value: Any) -> np.ndarray:
        """What agents see of an observation of the user's own environment: for `scoutrl.load`'s agents.

        Raises:
            ValueError: it is none of the environment's observation space.
        """
        return self.source.job.read(value)

    def action(self, action: Any) -> Any:
        """What the user's own environment takes, from an agent's action."""
        return self.source.job.action(np.asarray(action))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
