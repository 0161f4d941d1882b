"""Learning from replayed trials: what all algorithms share that learn off policy.

An iteration stores its fresh trials in a ring, then takes gradient steps on trials drawn from everything in it. What is
descended is the algorithm's own `loss`; how, and which trials are seen how often, is the same for all.
`Replayed` is an algorithm that learns in no other way; `Replaying` leaves a choice.
"""

import abc
import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, Metrics
from scoutrl.algorithms.ranges import check_ranges
from scoutrl.envs import MetaEnv
from scoutrl.errors import ScoutError
from scoutrl.nn.linear import randomise
from scoutrl.trials import replay as ring
from scoutrl.trials.rollout import Protocol, rollout
from scoutrl.trials.trial import Trial

Networks = Any
"""All networks of an algorithm, a pytree."""


class Learner(eqx.Module):
    """Everything an algorithm needs to go on."""

    nets: Networks
    """The networks being learnt."""
    average: Networks
    """Their running average: it acts when judged, and judges actions in double Q-learning."""
    optimiser: optax.OptState
    """Adam's moments."""
    replay: ring.Replay
    """The newest training trials; None for a learner that uses fresh ones only."""
    updates: Int[Array, ""]
    """Gradient steps done."""
    running: Metrics
    """Running means of the metrics that schedules go by."""


class Findings(eqx.Module):
    """What a loss found out on its way."""

    metrics: Metrics
    """To be reported."""
    interest: Float[Array, " batch"]
    """How much there is to learn from each trial."""


class Replaying(Algorithm):
    """An algorithm that can learn by gradient steps on replayed trials: `replayed`."""

    explorations: int = 1
    """Exploration episodes of a trial."""
    exploitations: int = 1
    """Exploitation episodes of a trial."""
    trials: int = 64
    """Trials collected in one iteration."""
    updates: int = 4
    """Gradient steps in one iteration."""
    batch: int = 32
    """Trials in one gradient step."""
    capacity: int = 16384
    """Trials kept for replay, a multiple of `trials`."""
    success_share: float = 0.25
    """Share of a gradient step's trials drawn from those whose exploitation return is above the mean: each problem with
    its goals as often as any other."""
    success_floor: float = -1e9
    """And above this: where most trials earn nothing, doing nothing is better than the mean."""
    interest_share: float = 0.25
    """Share of a gradient step's trials drawn from those the algorithm finds more interesting than the mean."""
    learning_rate: float = 1.5e-3
    """Adam's step size."""
    max_gradient: float = 10.0
    """Gradients longer than this (norm over all weights) are cut to it."""
    average_rate: float = 0.01
    """Part by which the average moves to the current weights in each gradient step."""
    discount: float = 0.99
    """γ, from 0 to 1."""
    trace: float = 0.8
    """λ of Q(λ), from 0 to 1: how much of the target comes from the steps really taken while they stay greedy."""
    double: bool = True
    """Double Q-learning: the averaged networks judge the action that the learning ones choose."""
    epsilon_low: float = 0.05
    """Lowest share of random actions among the trials collected."""
    epsilon_high: float = 0.6
    """Highest share of random actions among the trials collected."""
    random_actions: tuple[float, ...] = ()
    """How likely each action is when acting at random, as weights; without any, all alike."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(
            self,
            positive="explorations exploitations trials updates batch capacity learning_rate max_gradient epsilon_low",
            shares="success_share interest_share discount trace average_rate epsilon_low epsilon_high",
        )
        if self.capacity % self.trials:
            raise ScoutError(f"capacity ({self.capacity}) must be a multiple of trials ({self.trials})")
        if self.epsilon_low > self.epsilon_high:
            raise ScoutError(f"epsilon_low ({self.epsilon_low}) must not exceed epsilon_high ({self.epsilon_high})")
        if any(not weight >= 0 for weight in self.random_actions) or (
            self.random_actions and not sum(self.random_actions)
        ):
            raise ScoutError(f"random_actions must be weights of at least 0, not all 0; they are {self.random_actions}")
        if self.success_share + self.interest_share > 1:
            raise ScoutError("success_share and interest_share must not exceed 1 together; lower one of them")

    @abc.abstractmethod
    def networks(self, env: MetaEnv) -> Networks:
        """Networks for the spaces of `env`, yet to be drawn (`scoutrl.nn.linear.randomise`)."""

    @abc.abstractmethod
    def schedules(self) -> dict[str, float]:
        """The metrics that schedules go by, with what each is before anything is learnt; often empty."""

    @abc.abstractmethod
    def interest(self, nets: Networks, trials: Trial) -> Float[Array, " batch"]:
        """How much there is to learn from fresh trials; zeros where all are alike."""

    @abc.abstractmethod
    def loss(
        self, nets: Networks, state: Learner, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Findings]:
        """What a gradient step descends: a function of `nets` on a batch of trials."""

    def fresh(self, env: MetaEnv, key: PRNGKeyArray) -> Learner:
        """Fresh networks, and no replay."""
        self._check_weights(env)
        nets = randomise(self.networks(env), key)
        running = {name: jnp.float32(value) for name, value in self.schedules().items()}
        return Learner(nets, nets, self._adam().init(_arrays(nets)), None, jnp.int32(0), running)  # type: ignore[arg-type]

    def with_replay(self, env: MetaEnv, state: Learner, key: PRNGKeyArray) -> Learner:
        """The same state with an empty replay."""
        protocol = Protocol(self.explorations, self.exploitations)
        problem = env.problems.ids[0]
        example = eqx.filter_eval_shape(
            lambda: rollout(env, self.collector(env, state, problem, key), problem, key, protocol)
        )
        return dataclasses.replace(state, replay=ring.init(env, example, self.capacity))

    def replayed(self, env: MetaEnv, state: Learner, trials: Trial, key: PRNGKeyArray) -> tuple[Learner, Metrics]:
        """Store the trials, then take gradient steps on trials drawn from all that are stored."""
        interest = self.interest(state.nets, trials) if self.interest_share else jnp.zeros(len(trials.problem))
        state = dataclasses.replace(state, replay=ring.add(env, state.replay, trials, interest))
        success = ring.successes(state.replay, self.success_floor)
        keys = jax.random.split(key, self.updates)
        state, metrics = jax.lax.scan(lambda state, key: self._update(state, success, key), state, keys)
        return state, jax.tree.map(jnp.mean, metrics)

    def _check_weights(self, env: MetaEnv) -> None:
        actions = getattr(env.spaces.action, "n", None)
        if self.random_actions and len(self.random_actions) != actions:
            raise ScoutError(f"random_actions has {len(self.random_actions)} weights; the family has {actions} actions")

    def _update(self, state: Learner, success: Array, key: PRNGKeyArray) -> tuple[Learner, Metrics]:
        """One gradient step on trials drawn from the replay."""
        draw_key, loss_key = jax.random.split(key)
        successes, interesting = (round(share * self.batch) for share in (self.success_share, self.interest_share))
        rows = ring.draw(state.replay, success, self.batch, successes, interesting, draw_key)
        batch = ring.take(state.replay, rows)
        gradient, found = jax.grad(self.loss, has_aux=True)(state.nets, state, batch, loss_key)
        replay = ring.revise(state.replay, rows, found.interest)
        return dataclasses.replace(self.step(state, gradient, found.metrics), replay=replay), found.metrics

    def step(self, state: Learner, gradient: Networks, metrics: Metrics) -> Learner:
        """One step of Adam; then the averages follow, that of the weights faster while it is young."""
        change, optimiser = self._adam().update(_arrays(gradient), state.optimiser, _arrays(state.nets))
        nets = eqx.apply_updates(state.nets, change)
        rate = jnp.maximum(self.average_rate, 1 / (state.updates + 1.0))
        average = jax.tree.map(lambda old, new: old + rate * (new - old), state.average, nets)
        running = {name: old + 0.01 * (metrics[name] - old) for name, old in state.running.items()}
        return Learner(nets, average, optimiser, state.replay, state.updates + 1, running)

    def _adam(self) -> optax.GradientTransformation:
        # One flat vector compiles and runs faster than forty leaves.
        return optax.flatten(optax.chain(optax.clip_by_global_norm(self.max_gradient), optax.adam(self.learning_rate)))


class Replayed(Replaying):
    """An algorithm that learns from replayed trials only."""

    def init(self, env: MetaEnv, key: PRNGKeyArray) -> Learner:
        """Fresh networks and an empty replay."""
        return self.with_replay(env, self.fresh(env, key), key)

    def learn(self, env: MetaEnv, state: Learner, trials: Trial, key: PRNGKeyArray) -> tuple[Learner, Metrics]:
        """Store the trials, then take gradient steps on trials drawn from all that are stored."""
        return self.replayed(env, state, trials, key)


def _arrays(nets: Networks) -> Any:
    return eqx.filter(nets, eqx.is_array)
