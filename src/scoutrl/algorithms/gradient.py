"""Learning by gradient steps: what all algorithms share that descend one loss over all their networks.

An iteration collects trials; then Adam takes steps on trials drawn from a replay, or on the fresh ones, as the learner
of the algorithm's policies wants it. What is descended is the algorithm's own `loss`.
"""

import abc
import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.algorithms.base import Algorithm, AlgorithmState, Metrics
from scoutrl.algorithms.encoders import Encoders
from scoutrl.algorithms.off_policy import Draws, LossAux, replay_setting, replay_updates, store
from scoutrl.algorithms.on_policy import minibatch_epochs
from scoutrl.algorithms.shards import averaged
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.nn.init import Rng, generator
from scoutrl.ranges import check_ranges
from scoutrl.rl.learner import PolicyLearner
from scoutrl.rl.q_lambda import QLambda
from scoutrl.trials import replay as ring
from scoutrl.trials.trial import Trial

Networks = Any
"""All networks of an algorithm, a pytree."""


class GradientAlgorithm(Algorithm):
    """An algorithm that descends one loss with Adam."""

    learner: PolicyLearner = QLambda()
    """How its policies act and learn: q (Q(λ)) or sac (actions in a Box) on replayed trials, ppo on fresh ones."""
    exploration_episodes: int = 1
    """Exploration episodes of a trial."""
    exploitation_episodes: int = 1
    """Exploitation episodes of a trial."""
    trials_per_iteration: int = 64
    """Trials collected in one iteration."""
    updates_per_iteration: int = 4
    """Gradient steps in one iteration."""
    see_time: bool = True
    """Policies see how much of the episode's time is left."""
    batch_size: int = 32
    """Trials in one gradient step."""
    learning_rate: float = 1.5e-3
    """Adam's step size."""
    decay_updates: int = 0
    """Gradient steps in which the step size falls, evenly, to `decay_to` times itself; 0: it stays."""
    decay_to: float = 0.15
    """What of the step size is left then."""
    max_gradient: float = 10.0
    """Gradients longer than this (norm over all weights) are cut to it."""
    average_rate: float = 0.01
    """Part by which the averaged weights move to the current ones in each gradient step."""
    capacity: int = replay_setting(16384)
    """Trials kept for replay, a multiple of `trials_per_iteration`."""
    success_share: float = replay_setting(0.25)
    """Share of a gradient step's trials drawn from those whose exploitation return is above the mean: each problem with
    its goals as often as any other. Who is not told the problem learns from them by their importance weights."""
    success_floor: float = replay_setting(-1e9)
    """And above this: where most trials earn nothing, doing nothing is better than the mean."""
    priority_share: float = replay_setting(0.25)
    """Share of a gradient step's trials drawn from those whose priority, the algorithm's own, is above the mean; by
    importance weights likewise."""
    packed_replay: bool = replay_setting(False)
    """Pictures are packed in the replay, without loss, into a quarter of their memory; learning takes longer then."""
    shards: int = 1
    """Parts that the trials of an iteration, the replay and the batch are split into; each may be computed on a device
    of its own, and all learn from the mean of their gradients."""

    def __check_init__(self):
        """Refuse values that make no sense."""
        positive = "exploration_episodes exploitation_episodes trials_per_iteration updates_per_iteration batch_size"
        check_ranges(
            self,
            positive=f"{positive} capacity shards learning_rate max_gradient",
            shares="success_share priority_share average_rate decay_to",
            not_negative="decay_updates",
        )
        self._check_shards()
        if self.learner.on_policy:
            _check_epochs(self.trials_per_iteration, self.updates_per_iteration, self.batch_size)
        elif self.capacity % self.trials_per_iteration:
            raise ScoutError(
                f"capacity ({self.capacity}) must be a multiple of trials_per_iteration ({self.trials_per_iteration})"
            )
        if sum(self._sought()) >= self._batch_of_shard and not self.learner.on_policy:
            raise ScoutError(
                f"success_share and priority_share leave none of {self._batch_of_shard} trials to be drawn from all, "
                "and what is never drawn cannot be weighted: lower one of them"
            )

    def encoders(self, spec: Spec, rng: Rng) -> Encoders:
        """Draw what all policies of the algorithm see with.

        Raises:
            ScoutError: a space that no encoder reads.
        """
        return Encoders(spec, self.see_time, rng)

    @abc.abstractmethod
    def networks(self, spec: Spec, rng: Rng) -> Networks:
        """Draw networks for the spaces and problems of a family."""

    @abc.abstractmethod
    def loss(
        self, networks: Networks, state: AlgorithmState, batch: Trial, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], LossAux]:
        """What a gradient step descends: a function of `networks` on a batch of trials."""

    def schedules(self) -> dict[str, float]:
        """The metrics that schedules go by, with what each is before anything is learnt."""
        return {}

    def init(self, spec: Spec, key: PRNGKeyArray) -> AlgorithmState:
        """Fresh networks; running means are in `counters`, by the name of their metric."""
        networks = self.networks(spec, generator(key))
        counters = {"updates": jnp.asarray(0, jnp.int32)}
        counters |= {name: jnp.asarray(value, jnp.float32) for name, value in self.schedules().items()}
        return AlgorithmState(networks, networks, jax.jit(self._adam().init)(_arrays(networks)), None, counters)

    def replay(self, spec: Spec) -> ring.Replay | None:
        """An empty ring of trials, if the learner learns from replayed ones; with shards, one for each, [shards, …]."""
        if self.learner.on_policy:
            return None
        own = ring.init(spec, self.protocol(), self.capacity // self.shards, self.packed_replay)
        return own if self.shards == 1 else jax.tree.map(lambda x: jnp.broadcast_to(x, (self.shards, *x.shape)), own)

    def learn(
        self, spec: Spec, state: AlgorithmState, trials: Trial, key: PRNGKeyArray
    ) -> tuple[AlgorithmState, Metrics]:
        """Gradient steps on these trials, or on trials drawn from all that are stored."""
        if self.learner.on_policy:

            def update(state: AlgorithmState, batch: Trial, key: PRNGKeyArray) -> tuple[AlgorithmState, Metrics]:
                state, aux = self.update(state, batch, key)
                return state, aux.metrics

            return minibatch_epochs(update, state, trials, self.updates_per_iteration, self._batch_of_shard, key)
        successes, prioritised = self._sought()
        draws = Draws(self._batch_of_shard, successes, self.success_floor, prioritised)
        return replay_updates(self.update, store(state, trials), draws, self.updates_per_iteration, key)

    def update(self, state: AlgorithmState, batch: Trial, key: PRNGKeyArray) -> tuple[AlgorithmState, LossAux]:
        """One step of Adam; then the averages follow, that of the weights faster while it is young."""
        gradient, aux = eqx.filter_grad(self.loss, has_aux=True)(state.networks, state, batch, key)
        if self.shards > 1:
            gradient, metrics = averaged((gradient, aux.metrics))
            aux = dataclasses.replace(aux, metrics=metrics)
        change, optimiser = self._adam().update(_arrays(gradient), state.optimisers, _arrays(state.networks))
        networks = eqx.apply_updates(state.networks, change)
        updates = state.counters["updates"]
        rate = jnp.maximum(self.average_rate, 1 / (updates + 1.0))
        new, rest = eqx.partition(networks, eqx.is_inexact_array)
        targets = jax.tree.map(lambda old, new: old + rate * (new - old), _arrays(state.targets), new)
        counters = {
            name: updates + 1 if name == "updates" else old + 0.01 * (aux.metrics[name] - old)
            for name, old in state.counters.items()
        }
        changes = {"networks": networks, "targets": eqx.combine(targets, rest), "optimisers": optimiser}
        return dataclasses.replace(state, counters=counters, **changes), aux

    def _sought(self) -> tuple[int, int]:
        """Trials of a gradient step that are drawn from successful ones, and from those of high priority."""
        return round(self.success_share * self._batch_of_shard), round(self.priority_share * self._batch_of_shard)

    @property
    def _batch_of_shard(self) -> int:
        """Trials of a gradient step that a shard draws."""
        return self.batch_size // self.shards

    def _check_shards(self) -> None:
        for name in ("trials_per_iteration", "batch_size", "capacity"):
            if getattr(self, name) % self.shards and not (name == "capacity" and self.learner.on_policy):
                raise ScoutError(f"{name} ({getattr(self, name)}) must be a multiple of shards ({self.shards})")

    def ramp_down(self, state: AlgorithmState, iterations: int) -> Float[Array, ""]:
        """From 1 to 0 in the first `iterations` iterations: the least share of random actions, say."""
        done = state.counters["updates"] / (self.updates_per_iteration * max(iterations, 1))
        return jnp.clip(1.0 - done, 0.0, 1.0) * (iterations > 0)

    def _adam(self) -> optax.GradientTransformation:
        # One flat vector compiles and runs faster than forty leaves.
        rate = self.learning_rate
        if self.decay_updates:
            rate = optax.linear_schedule(rate, rate * self.decay_to, self.decay_updates)
        return optax.flatten(optax.chain(optax.clip_by_global_norm(self.max_gradient), optax.adam(rate)))


def _arrays(networks: Networks) -> Any:
    return eqx.filter(networks, eqx.is_inexact_array)


def _check_epochs(trials: int, updates: int, batch: int) -> None:
    if trials % batch or updates * batch % trials:
        raise ScoutError(
            f"a learner on fresh trials passes whole times through them: batch_size ({batch}) must divide "
            f"trials_per_iteration ({trials}), and updates_per_iteration ({updates}) be a multiple of "
            f"{max(trials // batch, 1)}"
        )
