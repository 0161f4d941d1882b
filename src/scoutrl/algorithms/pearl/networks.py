"""PEARL's networks."""

from typing import final

import equinox as eqx

from scoutrl.algorithms.encoders import Encoders
from scoutrl.algorithms.policies import TaskPolicy
from scoutrl.envs import Spec
from scoutrl.nn.gaussian import Inference
from scoutrl.nn.init import Rng
from scoutrl.rl.learner import PolicyLearner


@final
class PearlNetworks(eqx.Module):
    """All that is learnt; none of it ever has a problem ID for input."""

    encode: Encoders
    """Encodes observations, actions and goals."""
    inference: Inference
    """q_φ(z | experiences), transition by transition."""
    policy: TaskPolicy
    """π_θ(a | s, g, z)."""


def build(
    spec: Spec, encode: Encoders, learner: PolicyLearner, z: int, width: int, policy_width: int, rng: Rng
) -> PearlNetworks:
    """Draw networks for the spaces of a family, all of which see with `encode`.

    Raises:
        ScoutError: actions that the learner cannot learn.
    """
    seen = encode.seen
    inference = Inference(seen, encode.action.size, width, z, rng)
    policy = TaskPolicy(None, seen + encode.goal_size, z, policy_width, learner, spec.spaces.action, rng)
    return PearlNetworks(encode, inference, policy)
