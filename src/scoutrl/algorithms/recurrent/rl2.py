"""RL²: fast reinforcement learning via slow reinforcement learning (Duan et al. 2016; Wang et al. 2016).

One recurrent policy acts throughout the trial, π(a | h, s, g, phase). Its memory h, of each observation, action and
reward since the trial began, is wiped only when the next trial begins. What it learns of a problem within a trial is
in its memory; what it learns from trial to trial is in its weights. They are trained, end to end, for

    E_μ [ return of all episodes ]                   (`Rl2`)
    E_μ [ return of the exploitation episodes ]      (`ERl2`: exploring is seen, but its reward does not count).
"""

from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.policies import Conditioning
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd, Objective
from scoutrl.algorithms.recurrent.networks import Actor, Belief
from scoutrl.algorithms.recurrent.unroll import Beliefs, Unrolled
from scoutrl.envs import Problem, Spec
from scoutrl.nn.init import Rng
from scoutrl.trials.trial import Trial


@final
class Memory(Belief):
    """The belief is the memory itself."""

    size: int = eqx.field(static=True)

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch hidden"]:
        """h."""
        return hidden


@final
class Rl2Networks(eqx.Module):
    """All that is learnt."""

    actor: Actor


class Recurrent(EndToEnd):
    """What both have in common: the policy is given its memory, and nothing is learnt but its return."""

    # A memory that is learnt by the return alone is no embedding of the problem, as the beliefs of the others are.
    conditioning: Conditioning = "joined"
    """How the policy takes in its memory: joined to what it sees; or scaled, by a factor and a term in its second
    layer, as DREAM's policy takes in z, with a layer more."""

    def networks(self, spec: Spec, rng: Rng) -> Rl2Networks:
        """The one policy."""
        return Rl2Networks(self.build_actor(spec, Memory(self.memory_size), rng))

    def beliefs(self, networks: Rl2Networks, unrolled: Unrolled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """h on every prefix."""
        return Beliefs(unrolled.hidden, jnp.float32(0.0), {})

    def privileged(self, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> None:
        """None: no part of RL² ever has a problem ID."""


@final
class Rl2(Recurrent):
    """RL²: the return of all episodes of the trial."""

    objective: Objective = "all"
    """Whose reward is optimised: exploitation (that of exploring is seen but does not count), or all."""


@final
class ERl2(Recurrent):
    """E-RL²: the return of the exploitation episodes."""
