"""DREAM: decoupled reward-free exploration and execution in meta-reinforcement learning (Liu et al. 2021).

Four parts, in the paper's symbols:

    F_ψ(z|μ) = N(f_ψ(μ), ρ²I)        encodes what the task needs of the problem ID μ        (encoder)
    q_ω(z|τ) = N(g_ω(τ), ρ²I)        recovers it from an exploration trajectory τ           (decoder)
    π_exp(a | s_:t, a_:t)            explores so that it can be recovered                   (explorer)
    π_task(a | s, g, z)              exploits, given z                                      (policy)

Each has an objective of its own: `bottleneck_loss`, `decoder_loss`, `explorer_loss` and `policy_loss` below. How the
two policies learn from their rewards is their learner's business.
"""

import abc
from typing import Literal, final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.dream.agent import DreamAgent, PrivilegedTask, Training
from scoutrl.algorithms.dream.hypotheses import HYPOTHESES, HypotheticalTasks
from scoutrl.algorithms.dream.knowledge import DreamKnowledge
from scoutrl.algorithms.dream.networks import Actors, DreamNetworks, Sizes, build
from scoutrl.algorithms.gradient import GradientAlgorithm
from scoutrl.algorithms.off_policy import LossAux, only_off_policy
from scoutrl.envs import Problem, Spec
from scoutrl.nn.init import Rng
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import Steps
from scoutrl.rl.q_learning import masked_mean
from scoutrl.trials.encode import EncodedEpisodes, encode_observations
from scoutrl.trials.sequences import Transitions, transitions
from scoutrl.trials.trial import Trial


class DreamBase(GradientAlgorithm):
    """DREAM up to the reward of its explorer, for variants."""

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
    """The cost ramps up as the residual D_T / D_0 falls from this to half of it; too early, the explorer gives up."""
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
    memory_size: int = 64
    """Length of the recurrent memories of explorer and decoder."""
    policy_width: int = 128
    """Width of the policy."""
    policy_memory: bool = True
    """Give the policy a recurrent memory of its episode; not needed where observation, goal and z say all."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        only_off_policy(self.learner, "DREAM")
        check_ranges(
            self,
            positive="z z_scale rho width memory_size policy_width decoder_weight",
            shares="decoded_share hypothesis_share",
            not_negative="bottleneck_weight hinge_threshold step_cost step_cost_below decoded_below",
        )
        check_ranges(self, not_negative="warmup policy_warmup")

    # The four objectives.

    def bottleneck_loss(self, f: Float[Array, "batch z"]) -> Float[Array, ""]:
        """λ E_μ KL(F_ψ(·|μ) ‖ N(0, ρ²I)) = λ E ‖f‖² / (2ρ²), or the hinge on it."""
        if self.bottleneck == "none":
            return jnp.float32(0.0)
        size = (f**2).sum(axis=-1)
        if self.bottleneck == "hinge":
            size = jax.nn.relu(size - self.hinge_threshold)
        return self.bottleneck_weight * size.mean() / (2 * self.rho**2)

    def decoder_loss(self, distance: Float[Array, "batch time+1"], explored: Transitions) -> Float[Array, ""]:
        """E ‖sg[f_ψ(μ)] - g_ω(τ_:t)‖² over all prefixes, times its weight."""
        return self.decoder_weight * masked_mean(distance, explored.prefixes)

    @abc.abstractmethod
    def exploration_rewards(
        self, distance: Float[Array, "batch time+1"], explored: Transitions
    ) -> Float[Array, "batch time"]:
        """The reward of each exploration step, before its cost; no gradient is taken through it.

        Args:
            distance: ‖f_ψ(μ) - g_ω(τ_:t)‖² on every prefix, by the f and g of now.
            explored: the exploration trajectory.
        """

    def explorer_loss(
        self, networks: DreamNetworks, targets: DreamNetworks, rewards: Array, explored: Transitions, cost: Array
    ) -> Float[Array, ""]:
        """Learn π_exp for its rewards less the cost of each step."""
        # All exploration episodes of a trial are one return: information counts whenever it comes.
        rewards, discounts = jax.lax.stop_gradient(rewards) - cost, self.learner.discount * explored.not_last
        steps = Steps(explored.actions, rewards, discounts, explored.mask)
        features = self._transition_features(networks.actors, explored)
        explorer, target = networks.actors.explorer, targets.actors.explorer
        return self.learner.loss(explorer.head, target.head, explorer.unroll(features), target.unroll(features), steps)[
            0
        ]

    def policy_loss(
        self, networks: DreamNetworks, targets: DreamNetworks, exploited: EncodedEpisodes, z: Float[Array, "batch z"]
    ) -> Float[Array, ""]:
        """Learn π_task for the environment's reward; time running out does not end the return."""
        exploited = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), exploited)
        discounts = self.learner.discount * ~exploited.terminated
        steps = Steps(exploited.actions, exploited.rewards, discounts, exploited.mask)
        heads = networks.actors.policy.head, targets.actors.policy.head
        own, target = (
            self._policy_features(nets.actors, networks.actors, exploited, z) for nets in (networks, targets)
        )
        return self.learner.loss(*heads, own, target, steps)[0]

    # What they are made of.

    def loss(
        self, networks: DreamNetworks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """The sum of the four; trials that moved the belief have priority."""
        encoder, actors = networks.encoder, networks.actors
        explored = transitions(encode_observations(actors.encode.observation, batch.exploration))
        exploited = encode_observations(actors.encode.observation, batch.exploitation)
        f = encoder(batch.problem)
        g = actors.decoder.prefixes(self._transition_features(actors, explored))
        distance = ((jax.lax.stop_gradient(f)[:, None] - g) ** 2).sum(axis=-1)
        rewards = self.exploration_rewards(jax.lax.stop_gradient(distance), explored)
        cost = self.step_cost * ramp(state.counters["residual"], self.step_cost_below, self.step_cost_below / 2)
        z = self._task(f, explored.last(g), state, key)
        losses = {
            "bottleneck_loss": self.bottleneck_loss(f),
            "decoder_loss": self.decoder_loss(distance, explored),
            "explorer_loss": self.explorer_loss(networks, state.targets, rewards, explored, cost),
            "policy_loss": self.policy_loss(networks, state.targets, exploited, z),
        }
        metrics = {
            "loss": sum(losses.values(), jnp.float32(0.0)),
            **losses,
            "kl": (f**2).sum(axis=-1).mean() / (2 * self.rho**2),
            "residual": explored.last(distance[..., None]).mean() / (distance[:, 0].mean() + 1e-3),
            "step_cost": cost,
            "decoded_share": self._decoded_share(state),
        }
        return metrics["loss"], LossAux(metrics, belief_shift(g, explored))

    def networks(self, spec: Spec, rng: Rng) -> DreamNetworks:
        """f_ψ, g_ω, π_exp and π_task."""
        sizes = Sizes(self.z, self.width, self.memory_size, self.policy_width, self.policy_memory)
        return build(spec, self.learner, sizes, self.z_scale, rng)

    def schedules(self) -> dict[str, float]:
        """D_T / D_0, the part of ‖f(μ) - g‖² that is left after exploring."""
        return {"residual": 1.0}

    def priority(self, networks: DreamNetworks, trials: Trial) -> Float[Array, " batch"]:
        """How far exploring moved the belief."""
        actors = networks.actors
        explored = transitions(encode_observations(actors.encode.observation, trials.exploration))
        return belief_shift(actors.decoder.prefixes(self._transition_features(actors, explored)), explored)

    def agent(self, spec: Spec, state: AlgorithmState) -> DreamAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return self._agent(spec, state.targets.actors)

    def knowledge(self, spec: Spec, state: AlgorithmState) -> DreamKnowledge:
        """How near g_ω(τ) has come to f_ψ(μ)."""
        return DreamKnowledge(state.targets.encoder, state.targets.actors.decoder)

    def oracle(self, spec: Spec, state: AlgorithmState, problem: Problem) -> DreamAgent:
        """The ablation that is given f_ψ(μ) in place of decoding it."""
        task = PrivilegedTask(state.targets.encoder(jnp.asarray(problem)), jnp.bool_(True))
        return self._agent(spec, state.targets.actors, Training(task))

    def collector(self, spec: Spec, state: AlgorithmState, problem: Problem, key: PRNGKeyArray) -> DreamAgent:
        """The agent of the current weights: given z ~ F_ψ(z|μ) in some trials, acting on hypotheses in some."""
        noise, share, hypothesis_key = jax.random.split(key, 3)
        z = self._sample(state.networks.encoder(jnp.asarray(problem)), noise)
        training = Training(
            PrivilegedTask(z, ~jax.random.bernoulli(share, self._decoded_share(state))),
            self._hypotheses(spec, state, hypothesis_key) if self.hypothesis_share else None,
            self.ramp_down(state, self.warmup),
            self.ramp_down(state, self.policy_warmup),
        )
        return self._agent(spec, state.networks.actors, training)

    def _agent(self, spec: Spec, actors: Actors, training: Training | None = None) -> DreamAgent:
        random = self.exploration == "random"
        return DreamAgent(actors, self.learner, spec.spaces.action, random, self.see_rewards, training)

    def _hypotheses(self, spec: Spec, state: AlgorithmState, key: PRNGKeyArray) -> HypotheticalTasks:
        """Training problems and goals drawn at random, nothing to do with the problem at hand."""
        problem_key, goal_key = jax.random.split(key)
        problems = spec.problems.sample(problem_key, HYPOTHESES)
        goals = jax.vmap(spec.sample_goal)(jax.random.split(goal_key, HYPOTHESES))
        features = state.networks.actors.encode.goals(goals, HYPOTHESES)
        return HypotheticalTasks(state.networks.encoder(problems), features, self.hypothesis_share, spec.horizon)

    def _task(self, f: Array, g: Array, state: AlgorithmState, key: PRNGKeyArray) -> Float[Array, "batch z"]:
        """z ~ F_ψ(z|μ), reparameterised, and in a share of the trials g_ω(τ), as it will be at test time."""
        noise, share = jax.random.split(key)
        decoded = jax.random.bernoulli(share, self._decoded_share(state), (len(f), 1))
        return jnp.where(decoded, g if self.decoder_gradient else jax.lax.stop_gradient(g), self._sample(f, noise))

    def _decoded_share(self, state: AlgorithmState) -> Float[Array, ""]:
        """The policy first learns on f; g comes in by as much as it has come near to f."""
        return self.decoded_share * ramp(state.counters["residual"], self.decoded_below, 0.4)

    def _sample(self, f: Array, key: PRNGKeyArray) -> Array:
        return f + self.rho * jax.random.normal(key, f.shape)

    def _transition_features(self, actors: Actors, explored: Transitions) -> TransitionFeatures:
        rewards = explored.rewards if self.see_rewards else jnp.zeros_like(explored.rewards)
        return TransitionFeatures(explored.before, actors.encode.action(explored.actions), rewards, explored.after)

    def _policy_features(
        self, own: Actors, current: Actors, exploited: EncodedEpisodes, z: Array
    ) -> Float[Array, "episodes time+1 features"]:
        """π_task's last hidden layer in every step, by its own weights on the current encoders' features."""
        policy, features = own.policy, exploited.features
        episodes, steps = features.shape[:2]
        goal = own.encode.goals(exploited.goals, episodes)
        goal = jnp.broadcast_to(goal[:, None], (episodes, steps, goal.shape[-1]))
        z = jnp.repeat(z, episodes // len(z), axis=0)[:, None]
        if policy.history is None:
            return policy.features(None, features, goal, z)
        actions = current.encode.action(exploited.actions)
        moved = TransitionFeatures(features[:, :-1], actions, exploited.rewards, features[:, 1:])
        return policy.features(policy.history.scan(moved), features, goal, z)


@final
class Dream(DreamBase):
    """DREAM: the explorer is rewarded for the information that each step gains about z."""

    def exploration_rewards(
        self, distance: Float[Array, "batch time+1"], explored: Transitions
    ) -> Float[Array, "batch time"]:
        """r_t = log q_ω(z|τ_:t+1) - log q_ω(z|τ_:t), up to a factor ‖f - g(τ_:t)‖² - ‖f - g(τ_:t+1)‖²."""
        return information_gain(distance)


def information_gain(distance: Float[Array, "batch time+1"]) -> Float[Array, "batch time"]:
    """(D_t - D_{t+1}) / (E D_0 + 0.001): its sum over a trajectory is the whole drop in distance."""
    return (distance[:, :-1] - distance[:, 1:]) / (distance[:, 0].mean() + 1e-3)


def belief_shift(g: Float[Array, "batch time+1 z"], explored: Transitions) -> Float[Array, " batch"]:
    """‖g(τ) - g(∅)‖²: how far exploring has moved the belief."""
    return jax.lax.stop_gradient(((explored.last(g) - g[:, 0]) ** 2).sum(axis=-1))


def ramp(residual: Float[Array, ""], below: float, width: float) -> Float[Array, ""]:
    """0 while the residual is above `below`, then linear to 1 where it has fallen by `width`."""
    return jnp.clip((below - residual) / max(width, 1e-9), 0.0, 1.0)
