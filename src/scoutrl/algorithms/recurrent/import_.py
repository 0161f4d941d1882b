"""IMPORT: adaptive exploration strategies by informed policy regularization (Kamienny et al. 2020).

One policy π(a | s, g, e) shared by two embeddings e of the task:

    e_ID(μ)      of the problem ID                              (encoder, known in training only)
    e_h(τ_:t)    of all that happened in the trial              (recurrent)

In training some trials are conditioned on the one and some on the other, from their first step to their last. What the
policy learns from the problem ID, and the auxiliary loss

    ‖sg[e_ID(μ)] - e_h(τ_:t)‖²    (`imitation_loss`)

help the memory to find an embedding that is of use. At test time there is e_h alone.
"""

import dataclasses
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.recurrent.agent import PrivilegedBelief, RecurrentAgent
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd
from scoutrl.algorithms.recurrent.networks import Actor, Belief
from scoutrl.algorithms.recurrent.unroll import Beliefs, Unrolled
from scoutrl.envs import Problem, Spec
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import Weights
from scoutrl.rl.q_learning import masked_mean
from scoutrl.trials.sequences import Transitions
from scoutrl.trials.trial import Trial


@final
class Embedding(Belief):
    """e_h: the belief is an embedding of the memory."""

    size: int = eqx.field(static=True)
    out: Linear

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch size"]:
        """e_h(τ) of a memory of τ."""
        return self.out(hidden)


@final
class ImportNetworks(eqx.Module):
    """All that is learnt."""

    encoder: ProblemEncoder
    """e_ID, used in training only."""
    actor: Actor
    """The policy, and e_h."""


@final
class Import(EndToEnd):
    """IMPORT, for the return of the exploitation episodes."""

    embedding: int = 16
    """Length of the embeddings."""
    informed_share: float = 0.5
    """Share of trials conditioned on e_ID(μ) in training."""
    imitation_weight: float = 0.1
    """Weight of the auxiliary loss, which draws e_h(τ) to e_ID(μ)."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="embedding", shares="informed_share", not_negative="imitation_weight")

    def networks(self, spec: Spec, rng: Rng) -> ImportNetworks:
        """e_ID; e_h and the policy."""
        belief = Embedding(self.embedding, Linear(self.memory_size, self.embedding, rng, gain=1.0))
        problems = spec.problems
        length, known = problems.ids.shape[1], problems.of("train")
        encoder = ProblemEncoder(problems.sizes, length, self.embedding, rng, known=known)
        return ImportNetworks(encoder, self.build_actor(spec, belief, rng))

    def imitation_loss(
        self,
        e_id: Array,
        e_h: Float[Array, "batch time+1 e"],
        moved: Transitions,
        weight: Weights = None,
    ) -> Float[Array, ""]:
        """E ‖sg[e_ID(μ)] - e_h(τ_:t)‖² over all prefixes."""
        return masked_mean(((jax.lax.stop_gradient(e_id) - e_h) ** 2).sum(axis=-1), moved.prefixes, weight)

    def beliefs(self, networks: ImportNetworks, unrolled: Unrolled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """e_ID(μ) in the trials that were acted on it, e_h(τ_:t) in the others.

        An agent that knows μ does things that turn out well for no reason that e_h could see: the policy must not learn
        from them what to do on e_h.
        """
        e_id, e_h = networks.encoder(batch.problem)[:, None], networks.actor.belief(unrolled.hidden)
        distance = self.imitation_loss(e_id, e_h, unrolled.transitions, batch.weight)
        metrics = {"imitation_loss": distance, "embedding_size": (e_id**2).sum(axis=-1).mean()}
        informed = batch.informed[:, None, None]
        belief = jnp.where(informed, e_id, e_h)
        return Beliefs(belief, self.imitation_weight * distance, metrics, batch.informed)

    def evaluator(self, spec: Spec, state: AlgorithmState) -> RecurrentAgent:
        """As `agent`, with room for an embedding that is never used."""
        nothing = PrivilegedBelief(jnp.zeros(self.embedding), jnp.bool_(False))
        return dataclasses.replace(self.agent(spec, state), privileged=nothing)

    def privileged(self, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> PrivilegedBelief:
        """e_ID(μ), in some of the trials."""
        used = jax.random.bernoulli(key, self.informed_share)
        return PrivilegedBelief(state.networks.encoder(jnp.asarray(problem)), used)
