"""IMPORT: adaptive exploration strategies by informed policy regularization (Kamienny et al. 2020).

One policy π(a | s, g, e) shared by two embeddings e of the task:

    e_ID(μ)      of the problem ID                              (encoder, known in training only)
    e_h(τ_:t)    of all that happened in the trial              (recurrent)

In training some trials are conditioned on the one and some on the other, from their first step to their last. What the
policy learns when it is told the problem, and the auxiliary loss

    ‖sg[e_ID(μ)] - e_h(τ_:t)‖²    (`imitation_loss`)

make it easier for the memory to come up with an embedding that is of use. At test time there is e_h alone.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.off_policy import Learner
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.algorithms.recurrent.agent import Told
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd
from scoutrl.algorithms.recurrent.networks import Actor, Belief
from scoutrl.algorithms.recurrent.unroll import Beliefs, Recalled
from scoutrl.envs import MetaEnv, Problem
from scoutrl.nn.linear import Linear
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.rl.q_learning import masked_mean
from scoutrl.trials.sequences import Transitions
from scoutrl.trials.trial import Trial


class Embedding(Belief):
    """e_h: the belief is an embedding of the memory."""

    size: int = eqx.field(static=True)
    out: Linear

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch size"]:
        """e_h(τ) of a memory of τ."""
        return self.out(hidden)


class ImportNets(eqx.Module):
    """All that is learnt."""

    encoder: ProblemEncoder
    """e_ID, used in training only."""
    actor: Actor
    """The policy, and e_h."""


class Import(EndToEnd):
    """IMPORT, for the return of the exploitation episodes."""

    embedding: int = 16
    """Length of the embeddings."""
    told_share: float = 0.5
    """Share of trials conditioned on e_ID(μ) in training."""
    imitation: float = 0.1
    """Weight of the auxiliary loss, which draws e_h(τ) to e_ID(μ)."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="embedding", shares="told_share", not_negative="imitation")

    def networks(self, env: MetaEnv) -> ImportNets:
        """e_ID; e_h and the policy."""
        belief = Embedding(self.embedding, Linear(self.memory, self.embedding, gain=1.0))
        return ImportNets(ProblemEncoder(env.problems, self.embedding), self.build_actor(env, belief))

    def imitation_loss(self, e_id: Array, e_h: Float[Array, "batch time+1 e"], played: Transitions) -> Float[Array, ""]:
        """E ‖sg[e_ID(μ)] - e_h(τ_:t)‖² over all prefixes."""
        return masked_mean(((jax.lax.stop_gradient(e_id) - e_h) ** 2).sum(axis=-1), played.prefixes)

    def beliefs(self, nets: ImportNets, recalled: Recalled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """e_ID(μ) in the trials that were lived by it, e_h(τ_:t) in the others.

        Who knows μ does things that turn out well for no reason that e_h could see: they are not to be learnt from.
        """
        e_id, e_h = nets.encoder(batch.problem)[:, None], nets.actor.belief(recalled.hidden)
        distance = self.imitation_loss(e_id, e_h, recalled.tape)
        metrics = {"imitation_loss": distance, "embedding_size": (e_id**2).sum(axis=-1).mean()}
        informed = jnp.asarray(batch.informed)[:, None, None]
        return Beliefs(jnp.where(informed, e_id, e_h), self.imitation * distance, metrics)

    def told(self, state: Learner, problem: Problem, key: PRNGKeyArray) -> Told:
        """e_ID(μ), in some of the trials."""
        return Told(state.nets.encoder(jnp.asarray(problem)), jax.random.bernoulli(key, self.told_share))
