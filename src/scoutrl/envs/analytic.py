"""Families that cannot be listed, and know their bounds all the same."""

import abc

import numpy as np

from scoutrl.envs.base import MetaEnv


class AnalyticEnv(MetaEnv):
    """A family that computes its own bounds: `scout bounds`, comparisons and `--until 95%` ask it for them."""

    @abc.abstractmethod
    def own_bounds(self, problems: np.ndarray) -> dict[str, float]:
        """Mean undiscounted return of an exploitation episode over some problems [n, k], by name of the bound.

        Returns:
            `optimum`, what the best policy earns that is told the problem; and any others.
        """
