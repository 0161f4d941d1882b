"""RL²: fast reinforcement learning via slow reinforcement learning (Duan et al. 2016; Wang et al. 2016).

One recurrent policy lives through the whole trial, π(a | h, s, g, phase). Its memory h, of each observation, action and
reward since the trial began, is wiped only when the next trial begins. What it learns of a problem within a trial is
in its memory; what it learns from trial to trial is in its weights. They are trained, end to end, for

    E_μ [ return of all episodes ]                   (`Rl2`)
    E_μ [ return of the exploitation episodes ]      (`ERl2`: exploring is seen, but its reward does not count).
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.off_policy import Learner
from scoutrl.algorithms.recurrent.agent import Told
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd, Objective
from scoutrl.algorithms.recurrent.networks import Actor, Belief
from scoutrl.algorithms.recurrent.unroll import Beliefs, Recalled
from scoutrl.envs import MetaEnv, Problem
from scoutrl.trials.trial import Trial


class Memory(Belief):
    """The belief is the memory itself."""

    size: int = eqx.field(static=True)

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch hidden"]:
        """h."""
        return hidden


class Rl2Nets(eqx.Module):
    """All that is learnt."""

    actor: Actor


class Recurrent(EndToEnd):
    """What both have in common: the policy is given its memory, and nothing is learnt but its return."""

    def networks(self, env: MetaEnv) -> Rl2Nets:
        """The one policy."""
        return Rl2Nets(self.build_actor(env, Memory(self.memory)))

    def beliefs(self, nets: Rl2Nets, recalled: Recalled, batch: Trial, key: PRNGKeyArray) -> Beliefs:
        """h on every prefix."""
        return Beliefs(recalled.hidden, jnp.float32(0.0), {})

    def told(self, state: Learner, problem: Problem, key: PRNGKeyArray) -> Told | None:
        """Nothing: no part of RL² ever has a problem ID."""
        return None


class Rl2(Recurrent):
    """RL²: the return of all episodes of the trial."""

    objective: Objective = "all"
    """Whose reward is optimised: exploitation (that of exploring is seen but does not count), or all."""


class ERl2(Recurrent):
    """E-RL²: the return of the exploitation episodes."""
