"""MetaCURE's networks."""

from typing import final

import equinox as eqx

from scoutrl.algorithms.encoders import Encoders
from scoutrl.algorithms.pearl.networks import PearlNetworks
from scoutrl.algorithms.pearl.networks import build as build_pearl
from scoutrl.algorithms.policies import Explorer
from scoutrl.envs import Spec
from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.init import Rng
from scoutrl.nn.prediction import Predictor
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.nn.recurrent import History
from scoutrl.rl.learner import PolicyLearner


@final
class Sizes(eqx.Module):
    """How large the networks are."""

    z: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)
    cell: MemoryCell = eqx.field(static=True)
    policy_width: int = eqx.field(static=True)
    explorer_layers: int = eqx.field(static=True)


@final
class Curiosity(eqx.Module):
    """The two predictors that an explorer's reward is made of, used in training only."""

    encoder: ProblemEncoder
    """What the second predictor is told of the problem's ID."""
    with_id: Predictor
    """ŷ_problem."""
    history: History
    """What the first predictor remembers of the context so far."""
    without_id: Predictor
    """ŷ_context."""


@final
class MetaCureNetworks(eqx.Module):
    """All that is learnt."""

    curiosity: Curiosity
    """Used in training only."""
    explorer: Explorer
    """π_e, the exploration policy."""
    sampler: PearlNetworks
    """q_φ and the exploitation policy π_θ."""


def build(spec: Spec, encode: Encoders, learner: PolicyLearner, sizes: Sizes, rng: Rng) -> MetaCureNetworks:
    """Draw networks for the spaces and problems of a family, all of which see with `encode`.

    Raises:
        ScoutError: actions that the learner cannot learn.
    """
    sampler = build_pearl(spec, encode, learner, sizes.z, sizes.width, sizes.policy_width, rng)
    seen, done = encode.seen, encode.action.size
    width, memory, problems, predicted = sizes.width, sizes.memory, spec.problems, encode.observation.size
    curiosity = Curiosity(
        ProblemEncoder(problems.sizes, problems.ids.shape[1], width, rng, known=problems.of("train")),
        Predictor(seen, done, width, width, predicted, rng),
        History(seen, done, width, memory, sizes.cell, rng),
        Predictor(seen, done, memory, width, predicted, rng),
    )
    remembered = History(seen, done, width, memory, sizes.cell, rng)
    action = spec.spaces.action
    explorer = Explorer(remembered, memory + seen, width, learner, action, rng, sizes.explorer_layers)
    return MetaCureNetworks(curiosity, explorer, sampler)
