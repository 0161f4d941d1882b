"""What of a family an exported agent needs to be made again: spaces, horizon, and the kind of problem IDs."""

from typing import final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from scoutrl.envs import ProblemSet, Spaces, Spec
from scoutrl.envs.base import Goal


@final
class StandIn(Spec):
    """Has the spaces, horizon and kind of problem IDs of another family, and no simulator."""

    problems: ProblemSet
    spaces: Spaces
    horizon: int = eqx.field(static=True)

    def __init__(self, spaces: Spaces, horizon: int, sizes: tuple[int, ...] | None, components: int):
        """Stand in for a family with IDs of that many components, of that many values each (None: real vectors)."""
        if sizes is None:
            ids = np.zeros((1, components), np.float32)
        else:  # as many problems as IDs that reach so high belong to, evenly spread
            ids = np.rint(np.outer(np.linspace(1, 0, 1 + max(sizes) // 10), np.array(sizes) - 1)).astype(int)
        self.problems, self.spaces, self.horizon = ProblemSet(ids, [0], [0]), spaces, horizon

    def sample_goal(self, key: PRNGKeyArray) -> Goal:
        """A goal that means nothing: nobody trains on a stand-in."""
        space = self.spaces.goal
        return None if space is None else jnp.zeros(space.shape, space.dtype)
