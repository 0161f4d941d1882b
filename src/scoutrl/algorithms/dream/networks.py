"""DREAM's networks: those that act, and the encoder that is used in training only."""

from typing import final

import equinox as eqx
from jaxtyping import Array, Float

from scoutrl.algorithms.encoders import Encoders
from scoutrl.algorithms.policies import Explorer, TaskPolicy
from scoutrl.envs import Spec
from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.nn.recurrent import History, TransitionFeatures
from scoutrl.rl.learner import PolicyLearner


@final
class Decoder(eqx.Module):
    """g_ω(τ), the mean of q_ω(z|τ) = N(g_ω(τ), ρ²I)."""

    history: History
    """Recurrent over the transitions of τ."""
    out: Linear
    """From memory to z."""

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch z"]:
        """g of the trajectory that the memory holds."""
        return self.out(hidden)

    def prefixes(self, transitions: TransitionFeatures) -> Float[Array, "batch time+1 z"]:
        """g on every prefix of [batch, time] transitions, the empty one included."""
        return self(self.history.scan(transitions))


@final
class Actors(eqx.Module):
    """Every network that acts; none of them ever has a problem ID for input."""

    encode: Encoders
    """Encodes observations, actions and goals, for all three."""
    decoder: Decoder
    explorer: Explorer
    policy: TaskPolicy


@final
class DreamNetworks(eqx.Module):
    """All that is learnt."""

    encoder: ProblemEncoder
    """f_ψ, used in training only."""
    actors: Actors
    """g_ω, π_exp and π_task."""


@final
class Sizes(eqx.Module):
    """How large the networks are."""

    z: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)
    cell: MemoryCell = eqx.field(static=True)
    policy_width: int = eqx.field(static=True)
    policy_memory: bool = eqx.field(static=True)
    shared_memory: bool = eqx.field(static=True)
    explorer_layers: int = eqx.field(static=True)


def build(
    spec: Spec, encode: Encoders, learner: PolicyLearner, sizes: Sizes, z_scale: float, rng: Rng
) -> DreamNetworks:
    """Draw networks for the spaces and problems of a family, all of which see with `encode`.

    Raises:
        ScoutError: actions that the learner cannot learn.
    """
    z, problems, action = sizes.z, spec.problems, spec.spaces.action
    seen, done = encode.seen, encode.action.size

    def history(hidden: int) -> History:
        return History(seen, done, sizes.width, hidden, sizes.cell, rng)

    memory = sizes.policy_width if sizes.policy_memory else 0
    actors = Actors(
        encode,
        Decoder(history(sizes.memory), Linear(sizes.memory, z, rng, gain=1.0)),
        Explorer(
            None if sizes.shared_memory else history(sizes.memory),
            sizes.memory + seen,
            sizes.width,
            learner,
            action,
            rng,
            sizes.explorer_layers,
        ),
        TaskPolicy(
            history(memory) if memory else None,
            seen + encode.goal_size + memory,
            z,
            sizes.policy_width,
            learner,
            action,
            rng,
        ),
    )
    known = problems.of("train")
    encoder = ProblemEncoder(problems.sizes, problems.ids.shape[1], z, rng, z_scale, known=known)
    return DreamNetworks(encoder, actors)
