"""DREAM: decoupled reward-free exploration and execution in meta-reinforcement learning (Liu et al. 2021).

Four parts, in the paper's symbols:

    F_ψ(z|μ) = N(f_ψ(μ), ρ²I)        encodes what the task needs of the problem ID μ        (encoder)
    q_ω(z|τ) = N(g_ω(τ), ρ²I)        recovers it from an exploration trajectory τ           (decoder)
    π_exp(a | s_:t, a_:t)            explores so that it can be recovered                   (explorer)
    π_task(a | s, g, z)              exploits, given z                                      (policy)

Each has an objective of its own: `bottleneck_loss`, `decoder_loss`, `explorer_loss` and `policy_loss` below.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.dream.agent import DreamAgent, Guesses, Told
from scoutrl.algorithms.dream.knowledge import DreamKnowledge
from scoutrl.algorithms.dream.networks import Actors, DreamNets, Sizes, build
from scoutrl.algorithms.off_policy import Findings, Learner, Replayed
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.envs import MetaEnv, Problem
from scoutrl.nn.recurrent import TransitionFeatures
from scoutrl.rl.q_learning import greedy_value, masked_mean, q_loss
from scoutrl.trials.encode import seen
from scoutrl.trials.sequences import Transitions, tape
from scoutrl.trials.trial import Episodes, Trial

GUESSES = 4
"""How many guesses an explorer in training may turn to."""


class Dream(Replayed):
    """DREAM with discrete actions: recurrent double duelling Q(λ) learning on replayed trials."""

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
    cost: float = 0.02
    """c, cost of an exploration step, as a part of all the information there is at the start."""
    cost_below: float = 0.3
    """The cost comes in as the ignorance D_T / D_0 falls from this to half of it; too early, the explorer gives up."""
    decoded_share: float = 0.5
    """Share of trials whose policy gets z from the decoder in training, once the decoder is good."""
    decoded_below: float = 0.6
    """That share comes in as the ignorance falls from this by 0.4; too early, both settle for little."""
    decoder_weight: float = 1.0
    """Weight of the decoder's loss: it counts where encoders of observations are shared and have to serve all."""
    decoder_gradient: bool = False
    """Let the policy's loss on decoded z train the decoder too."""
    see_rewards: bool = True
    """Exploration trajectories include rewards."""
    guess_share: float = 0.5
    """Share of the trials collected whose explorer at some step starts to act on guesses: as the policy would, if some
    other problem and goal were true. Independent random actions hardly ever find the second thing worth finding."""
    warmup: int = 200
    """Iterations in which the explorer's share of random actions falls from 1 to its own."""
    policy_warmup: int = 0
    """The same of the policy: where most things do harm, a policy soon shuns them all, and would see no other."""
    width: int = 64
    """Width of explorer and decoder."""
    memory: int = 64
    """Length of the recurrent memories of explorer and decoder."""
    policy_width: int = 128
    """Width of the policy."""
    policy_memory: bool = True
    """Give the policy a recurrent memory of its episode; not needed where observation, goal and z say all."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(
            self,
            positive="z z_scale rho width memory policy_width decoder_weight",
            shares="decoded_share guess_share",
            not_negative="bottleneck_weight hinge_threshold cost cost_below decoded_below warmup policy_warmup",
        )

    def networks(self, env: MetaEnv) -> DreamNets:
        """f_ψ, g_ω, π_exp and π_task."""
        return build(env, Sizes(self.z, self.width, self.memory, self.policy_width, self.policy_memory), self.z_scale)

    def schedules(self) -> dict[str, float]:
        """D_T / D_0, the part of ‖f(μ) - g‖² that is left after exploring."""
        return {"ignorance": 1.0}

    def agent(self, env: MetaEnv, state: Learner) -> DreamAgent:
        """The agent of the averaged weights: no part of it knows a problem ID."""
        return self._agent(state.average, jnp.float32(0.0), None)

    def knowledge(self, env: MetaEnv, state: Learner) -> DreamKnowledge:
        """How near the decoder has come to f_ψ(μ), both of the averaged weights."""
        return DreamKnowledge(state.average.encoder, state.average.actors.decoder)

    def oracle(self, env: MetaEnv, state: Learner, problem: Problem) -> DreamAgent:
        """The ablation that is told f_ψ(μ) in place of decoding it."""
        told = Told(state.average.encoder(jnp.asarray(problem)), jnp.bool_(True))
        return self._agent(state.average, jnp.float32(0.0), told)

    def collector(self, env: MetaEnv, state: Learner, problem: Problem, key: PRNGKeyArray) -> DreamAgent:
        """The agent of the current weights, in some trials told z ~ F_ψ(z|μ), in some guessing while it explores."""
        noise, share, guess = jax.random.split(key, 3)
        z = self._draw(state.nets.encoder(jnp.asarray(problem)), noise)
        told = Told(z, ~jax.random.bernoulli(share, self._decoded_share(state)))
        guesses = self._guesses(env, state, guess) if self.guess_share else None
        explorer, policy = (self._still_random(state, length) for length in (self.warmup, self.policy_warmup))
        return self._agent(state.nets, explorer, told, guesses, policy)

    def interest(self, nets: DreamNets, trials: Trial) -> Float[Array, " batch"]:
        """How far exploring moved the belief."""
        played = tape(seen(nets.actors.observe, trials.exploration))
        return belief_shift(self._decode(nets.actors, self._transitions(nets.actors, played)), played)

    # The four objectives.

    def bottleneck_loss(self, f: Float[Array, "batch z"]) -> Float[Array, ""]:
        """λ E_μ KL(F_ψ(·|μ) ‖ N(0, ρ²I)) = λ E ‖f‖² / (2ρ²), or the hinge on it."""
        if self.bottleneck == "none":
            return jnp.float32(0.0)
        size = (f**2).sum(axis=-1)
        if self.bottleneck == "hinge":
            size = jax.nn.relu(size - self.hinge_threshold)
        return self.bottleneck_weight * size.mean() / (2 * self.rho**2)

    def decoder_loss(self, distance: Float[Array, "batch time+1"], played: Transitions) -> Float[Array, ""]:
        """E ‖sg[f_ψ(μ)] - g_ω(τ_:t)‖² over all prefixes, times its weight."""
        return self.decoder_weight * masked_mean(distance, played.prefixes)

    def explorer_loss(
        self, distance: Float[Array, "batch time+1"], q: Array, judge: Array, played: Transitions, cost: Array
    ) -> Float[Array, ""]:
        """Q(λ) on the information that each step gains.

        r_t = log q_ω(z|τ_:t+1) - log q_ω(z|τ_:t) - c, up to a factor ‖f - g(τ_:t)‖² - ‖f - g(τ_:t+1)‖² - c, always with
        the f and g of now, in units of E‖f - g(∅)‖², and with no gradient into them.
        """
        rewards = information_gain(jax.lax.stop_gradient(distance)) - cost
        # All exploration episodes of a trial are one return: information counts whenever it comes.
        discounts = self.discount * jnp.pad(played.mask[:, 1:], ((0, 0), (0, 1)))
        values = jnp.pad(greedy_value(q, judge)[:, 1:], ((0, 0), (0, 1)))
        return q_loss(q, values, rewards, discounts, played.actions, played.mask, self.trace)

    def policy_loss(self, q: Array, judge: Array, lived: Episodes) -> Float[Array, ""]:
        """Q(λ) on the environment's reward; time running out does not end the return, so the last value counts."""
        discounts = self.discount * ~lived.terminated
        values = greedy_value(q, judge)[:, 1:]
        return q_loss(q[:, :-1], values, lived.rewards, discounts, lived.actions, lived.mask, self.trace)

    # What they are made of.

    def loss(
        self, nets: DreamNets, state: Learner, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Findings]:
        """The sum of the four; of interest is what moved the belief."""
        played = tape(seen(nets.actors.observe, batch.exploration))
        lived = _together(seen(nets.actors.observe, batch.exploitation))
        transitions = self._transitions(nets.actors, played)
        f, g = nets.encoder(batch.problem), self._decode(nets.actors, transitions)
        distance = ((jax.lax.stop_gradient(f)[:, None] - g) ** 2).sum(axis=-1)
        judges = state.average.actors if self.double else None

        q = _explorer_values(nets.actors, transitions)
        judge = _explorer_values(judges, transitions) if judges else q
        cost = self.cost * _coming_in(state.running["ignorance"], self.cost_below, self.cost_below / 2)
        explorer = self.explorer_loss(distance, q, judge, played, cost)

        z = self._mixture(f, played.last(g), state, key)
        q = self._policy_values(nets.actors, lived, z)
        judge = self._policy_values(judges, lived, z) if judges else q
        policy = self.policy_loss(q, judge, lived)

        decoder, bottleneck = self.decoder_loss(distance, played), self.bottleneck_loss(f)
        metrics = {
            "loss": decoder + explorer + policy + bottleneck,
            "decoder_loss": decoder,
            "explorer_loss": explorer,
            "policy_loss": policy,
            "kl": (f**2).sum(axis=-1).mean() / (2 * self.rho**2),
            "ignorance": played.last(distance[..., None]).mean() / (distance[:, 0].mean() + 1e-3),
            "cost": cost,
            "decoded_share": self._decoded_share(state),
        }
        return metrics["loss"], Findings(metrics, belief_shift(g, played))

    def _guesses(self, env: MetaEnv, state: Learner, key: PRNGKeyArray) -> Guesses:
        """Training problems and goals drawn at random, nothing to do with the problem at hand."""
        problem_key, goal_key = jax.random.split(key)
        problems = env.problems.sample(problem_key, GUESSES)
        goals = jax.vmap(lambda problem, key: env.goal(env.reset(problem, key)[0]))(
            problems, jax.random.split(goal_key, GUESSES)
        )
        features = state.nets.actors.goal_features(goals, (GUESSES,))
        return Guesses(state.nets.encoder(problems), features, self.guess_share, latest=env.horizon)

    def _mixture(self, f: Array, g: Array, state: Learner, key: PRNGKeyArray) -> Float[Array, "batch z"]:
        """z ~ F_ψ(z|μ), reparameterised, and in a share of the trials g_ω(τ), as it will be at test time."""
        noise, share = jax.random.split(key)
        decoded = jax.random.bernoulli(share, self._decoded_share(state), (len(f), 1))
        return jnp.where(decoded, g if self.decoder_gradient else jax.lax.stop_gradient(g), self._draw(f, noise))

    def _decoded_share(self, state: Learner) -> Float[Array, ""]:
        """The policy first learns on f; g comes in by as much as it has come near to f."""
        return self.decoded_share * _coming_in(state.running["ignorance"], self.decoded_below, 0.4)

    def _draw(self, f: Array, key: PRNGKeyArray) -> Array:
        return f + self.rho * jax.random.normal(key, f.shape)

    def _transitions(self, actors: Actors, played: Transitions) -> TransitionFeatures:
        rewards = played.rewards if self.see_rewards else jnp.zeros_like(played.rewards)
        actions = jax.nn.one_hot(played.actions, actors.explorer.actions)
        return TransitionFeatures(played.before, actions, rewards, played.after)

    def _decode(self, actors: Actors, transitions: TransitionFeatures) -> Float[Array, "batch time+1 z"]:
        """g_ω on every prefix, the empty one included."""
        return actors.decoder(actors.decoder.history.scan(transitions))

    def _policy_values(self, actors: Actors, lived: Episodes, z: Array) -> Float[Array, "episodes time+1 actions"]:
        policy, features = actors.policy, lived.observations
        episodes, steps = features.shape[:2]
        goal = actors.goal_features(lived.goals, (episodes,))
        goal = jnp.broadcast_to(goal[:, None], (episodes, steps, goal.shape[-1]))
        z = jnp.repeat(z, episodes // len(z), axis=0)[:, None]
        if policy.history is None:
            return policy(None, features, goal, z)
        actions = jax.nn.one_hot(lived.actions, actors.explorer.actions)
        memory = policy.history.scan(TransitionFeatures(features[:, :-1], actions, lived.rewards, features[:, 1:]))
        return policy(memory, features, goal, z)

    def _still_random(self, state: Learner, warmup: int) -> Float[Array, ""]:
        """The least share of random actions: from 1 to 0 in `warmup` iterations."""
        return jnp.clip(1.0 - state.updates / (self.updates * max(warmup, 1)), 0.0, 1.0) * (warmup > 0)

    def _agent(
        self,
        nets: DreamNets,
        explorer_epsilon: Array,
        told: Told | None,
        guesses: Guesses | None = None,
        policy_epsilon: Array | float = 0.0,
    ) -> DreamAgent:
        return DreamAgent(
            nets.actors,
            epsilon=jnp.array([self.epsilon_low, self.epsilon_high]),
            explorer_epsilon=explorer_epsilon,
            policy_epsilon=jnp.asarray(policy_epsilon, jnp.float32),
            random_exploration=self.exploration == "random",
            see_rewards=self.see_rewards,
            random_actions=self.random_actions,
            told=told,
            guesses=guesses,
        )


def information_gain(distance: Float[Array, "batch time+1"]) -> Float[Array, "batch time"]:
    """(D_t - D_{t+1}) / (E D_0 + 0.001): without a cost its sum over a trajectory is the whole drop in distance."""
    return (distance[:, :-1] - distance[:, 1:]) / (distance[:, 0].mean() + 1e-3)


def belief_shift(g: Float[Array, "batch time+1 z"], played: Transitions) -> Float[Array, " batch"]:
    """‖g(τ) - g(∅)‖². It depends on τ alone, so replaying more of what shifts the belief does not bias the belief."""
    return jax.lax.stop_gradient(((played.last(g) - g[:, 0]) ** 2).sum(axis=-1))


def _coming_in(ignorance: Float[Array, ""], below: float, width: float) -> Float[Array, ""]:
    """0 while ignorance is above `below`, then linear to 1 where it has fallen by `width`."""
    return jnp.clip((below - ignorance) / max(width, 1e-9), 0.0, 1.0)


def _explorer_values(actors: Actors, transitions: TransitionFeatures) -> Float[Array, "batch time actions"]:
    memory = actors.explorer.history.scan(transitions)
    return actors.explorer(memory[:, :-1], transitions.before)


def _together(episodes: Episodes) -> Episodes:
    """The exploitation episodes of all trials in one axis."""
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), episodes)
