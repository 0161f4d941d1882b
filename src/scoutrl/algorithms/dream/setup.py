"""DREAM's settings, networks and agents; what they learn, and by which objectives, is in dream.py."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.dream.agent import DreamAgent, PrivilegedTask, Training
from scoutrl.algorithms.dream.hypotheses import HYPOTHESES, HypotheticalTasks, no_hypotheses
from scoutrl.algorithms.dream.knowledge import DreamKnowledge
from scoutrl.algorithms.dream.networks import Actors, DreamNetworks, Sizes, build
from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.off_policy import only_off_policy
from scoutrl.envs import Problem, Spec
from scoutrl.errors import ScoutError
from scoutrl.nn.cell import MemoryCell
from scoutrl.nn.init import Rng
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import PolicyLearner


class DreamSetup(GradientAlgorithm):
    """An algorithm with DREAM's four parts."""

    z: int = 16
    """Length of the encoding z."""
    z_scale: float = 0.3
    """Standard deviation of f(μ) before learning: the larger, the longer the bottleneck takes to empty it."""
    rho: float = 0.05
    """ρ, standard deviation of encoder and decoder."""
    bottleneck: Literal["linear", "hinge", "none"] = "linear"
    """Form of the bottleneck on ‖f(μ)‖²: linear, only above `hinge_threshold`, or none (an ablation)."""
    bottleneck_weight: float = 4e-5
    """λ, weight of the bound KL = ‖f(μ)‖² / (2ρ²) on the information I(z; μ), in nats; 0 is no bottleneck."""
    hinge_threshold: float = 10.0
    """With bottleneck=hinge: ‖f(μ)‖² below this costs nothing."""
    exploration: Literal["learnt", "random"] = "learnt"
    """How to explore: by the learnt explorer, or uniformly at random (an ablation)."""
    step_cost: float = 0.02
    """c, cost of an exploration step, as a part of all the information there is at the start."""
    step_cost_below: float = 0.3
    """The cost ramps up as the residual D_T / D_0 falls from this to half of it; too early, the explorer gives up. It
    never falls again: an explorer that wanders lets the residual rise, and would have its wandering for nothing."""
    end_exploration: bool = False
    """The explorer may end an exploration episode at any time, in families that have no action for it: it does where by
    its own action values going on costs more (`step_cost`) than it tells. With learner=q."""
    decoded_share: float = 0.5
    """Share of trials whose policy gets z from the decoder in training, once the decoder is good."""
    decoded_below: float = 0.6
    """That share ramps up as the residual falls from this by 0.4; too early, both settle for little."""
    decoder_weight: float = 1.0
    """Weight of the decoder's loss: it counts where encoders of observations are shared and have to serve all."""
    decoder_gradient: bool = False
    """Let the policy's loss on decoded z train the decoder too."""
    see_rewards: bool = True
    """Exploration trajectories include rewards."""
    hypothesis_share: float = 0.5
    """Share of the trials collected whose explorer, from some step on, acts as the policy would if some other problem
    and goal were true. Independent random actions hardly ever find the second thing worth finding."""
    warmup: int = 200
    """Iterations in which the explorer's share of random actions falls from 1 to its own."""
    policy_warmup: int = 0
    """The same of the policy: where most things do harm, a policy soon shuns them all, and would see no other."""
    width: int = 64
    """Width of explorer and decoder."""
    explorer_layers: int = 1
    """Hidden layers of the explorer after its memory; two or more are normalised (LayerNorm)."""
    memory_size: int = 64
    """Length of the recurrent memories of explorer and decoder."""
    memory_cell: MemoryCell = "linear"
    """Kind of memory: linear in its own state (minGRU), which is quick at any horizon, or a GRU."""
    shared_memory: bool = False
    """The explorer reads the decoder's memory and has none of its own: less to compute."""
    explorer_gradient: bool = False
    """With a shared memory: let the explorer's loss train it as well as the decoder's."""
    policy_width: int = 128
    """Width of the policy."""
    policy_memory: bool = True
    """Give the policy a recurrent memory of its episode; not needed where observation, goal and z say all."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        only_off_policy(self.learner, "DREAM")
        if self.end_exploration and type(self.learner).worth is PolicyLearner.worth:
            raise ScoutError(
                f"end_exploration goes by action values, and learner={self.learner.name} has none to act by"
            )
        check_ranges(
            self,
            positive="z z_scale rho width memory_size policy_width decoder_weight explorer_layers",
            shares="decoded_share hypothesis_share",
            not_negative="bottleneck_weight hinge_threshold step_cost step_cost_below decoded_below",
        )
        check_ranges(self, not_negative="warmup policy_warmup")

    def networks(self, spec: Spec, rng: Rng) -> DreamNetworks:
        """f_ψ, g_ω, π_exp and π_task."""
        sizes = Sizes(
            z=self.z,
            width=self.width,
            memory=self.memory_size,
            cell=self.memory_cell,
            policy_width=self.policy_width,
            policy_memory=self.policy_memory,
            shared_memory=self.shared_memory,
            explorer_layers=self.explorer_layers,
        )
        return build(spec, self.encoders(spec, rng), self.learner, sizes, self.z_scale, rng)

    def schedules(self) -> dict[str, float]:
        """D_T / D_0, the part of ‖f(μ) - g‖² that is left after exploring: as it is, and the least it has been."""
        return {"residual": 1.0, "least_residual": 1.0}

    def agent(self, spec: Spec, state: AlgorithmState) -> DreamAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return self._agent(spec, state, state.targets.actors)

    def knowledge(self, spec: Spec, state: AlgorithmState) -> DreamKnowledge:
        """How near g_ω(τ) has come to f_ψ(μ)."""
        return DreamKnowledge(state.targets.encoder, state.targets.actors.decoder)

    def oracle(self, spec: Spec, state: AlgorithmState, problem: Problem) -> DreamAgent:
        """The ablation that is given f_ψ(μ) in place of decoding it."""
        task = PrivilegedTask(state.targets.encoder(jnp.asarray(problem)), jnp.bool_(True))
        return self._agent(spec, state, state.targets.actors, Training(task))

    def evaluator(self, spec: Spec, state: AlgorithmState) -> DreamAgent:
        """As `agent`, with room for all that training adds, and nothing in it."""
        agent = self.agent(spec, state)
        task = PrivilegedTask(jnp.zeros(self.z), jnp.bool_(False))
        hypotheses = no_hypotheses(self.z, agent.actors.encode.goal_size, self.hypothesis_share, spec.horizon)
        training = Training(task, hypotheses if self.hypothesis_share else None, endless=jnp.float32(0.0))
        return dataclasses.replace(agent, training=training)

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> DreamAgent:
        """The agent of the current weights: given z ~ F_ψ(z|μ) in some trials, acting on hypotheses in some."""
        noise, share, hypothesis_key = jax.random.split(key, 3)
        z = self.sample_task(state.networks.encoder(jnp.asarray(problem)), noise)
        training = Training(
            PrivilegedTask(z, ~jax.random.bernoulli(share, self.share_decoded(state))),
            self._hypotheses(spec, state, hypothesis_key) if self.hypothesis_share else None,
            self.ramp_down(state, self.warmup),
            self.ramp_down(state, self.policy_warmup),
        )
        return self._agent(spec, state, state.networks.actors, training)

    def _agent(self, spec: Spec, state: AlgorithmState, actors: Actors, training: Training | None = None) -> DreamAgent:
        random = self.exploration == "random"
        # While a step costs nothing, nothing is gained by ending.
        may_end = state.counters["least_residual"] < self.step_cost_below if self.end_exploration else None
        return DreamAgent(actors, self.learner, spec.spaces.action, random, self.see_rewards, may_end, training)

    def _hypotheses(self, spec: Spec, state: AlgorithmState, key: PRNGKeyArray) -> HypotheticalTasks:
        """Training problems and goals drawn at random, nothing to do with the problem at hand."""
        problem_key, goal_key = jax.random.split(key)
        problems = spec.problems.sample(problem_key, HYPOTHESES)
        goals = jax.vmap(spec.sample_goal)(jax.random.split(goal_key, HYPOTHESES))
        features = state.networks.actors.encode.goals(goals, HYPOTHESES)
        return HypotheticalTasks(state.networks.encoder(problems), features, self.hypothesis_share, spec.horizon)

    def share_decoded(self, state: AlgorithmState) -> Float[Array, ""]:
        """The policy first learns on f; g comes in by as much as it has come near to f."""
        return self.decoded_share * ramp(state.counters["residual"], self.decoded_below, 0.4)

    def sample_task(self, f: Float[Array, "*batch z"], key: PRNGKeyArray) -> Float[Array, "*batch z"]:
        """z ~ F_ψ(z|μ), reparameterised."""
        return f + self.rho * jax.random.normal(key, f.shape)


def ramp(residual: Float[Array, ""], below: float, width: float) -> Float[Array, ""]:
    """0 while the residual is above `below`, then linear to 1 where it has fallen by `width`."""
    return jnp.clip((below - residual) / max(width, 1e-9), 0.0, 1.0)
