"""Families small enough to be solved exactly."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from scoutrl.envs.base import MetaEnv, Observation, State
from scoutrl.envs.problems import Problem


class Starts(eqx.Module):
    """All ways in which an episode of one problem may begin; every field has the leading axis [starts]."""

    states: State
    """[starts, …]: the states that `reset` draws from."""
    observations: Observation
    """[starts, *observation]: what the agent sees in each."""
    probabilities: Float[Array, " starts"]
    """How likely each is; they add up to 1."""


class EnumerableEnv(MetaEnv):
    """A family with `Discrete` actions, a deterministic `step`, and few enough states to list them all.

    Its bounds are computed exactly (`scoutrl.exact.bounds`).
    """

    @abc.abstractmethod
    def starts(self, problem: Problem) -> Starts:
        """All starts of `problem` (shape [k]); pure JAX, the same number of starts for every problem."""

    @abc.abstractmethod
    def representative(self, problem: Problem) -> Problem:
        """A problem [k] that differs from `problem` in nothing but what observations and goals look like.

        The same actions after the same start (in the order of `starts`) get the same rewards and the same end.
        Problems of one representative are solved once. Without such symmetry it is `problem` itself.
        """

    @abc.abstractmethod
    def restrictions(self) -> dict[str, Bool[np.ndarray, " actions"]]:
        """Further bounds of interest: name -> which actions the best policy may use; often empty."""
