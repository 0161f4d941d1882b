"""Double duelling Q(λ) learning with ε-greedy noise, for numbered actions: one number, or several at once.

Of several numbers each has a utility of its own, and Q(s, a) is their mean (decoupled Q-networks: Seyde et al. 2023):

    Q(s, a) = V(s) + 1/n Σ_i [ A_i(s, a_i) - mean over choices of A_i(s, ·) ]      (duelling: Wang et al. 2016, eq. 9)
"""

from typing import ClassVar, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Discrete, MultiDiscrete
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.errors import ScoutError
from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.ranges import check_ranges
from scoutrl.rl.actions import NEVER, Components, chosen
from scoutrl.rl.learner import Action, Features, Head, Kept, PolicyLearner, Share, Steps
from scoutrl.rl.q_learning import q_loss

Utilities = Float[Array, "*batch components most"]
"""V + A_i of each choice of each component, `NEVER` where a component has no such choice."""


@final
class Outputs(eqx.Module):
    """What actions are chosen by."""

    utilities: Utilities
    components: Components


@final
class QHead(Head):
    """Utilities."""

    value: Linear
    """V."""
    advantage: Linear
    """A, of all components side by side."""
    components: Components

    def __init__(self, features: int, components: Components, rng: Rng):
        """Draw a head for features of that length."""
        self.components = components
        self.value = Linear(features, 1, rng, gain=1.0)
        self.advantage = Linear(features, len(components.sizes) * components.most, rng, gain=1.0)

    def __call__(self, features: Features) -> Outputs:
        """Utilities of all choices."""
        sizes, valid = self.components.sizes, self.components.valid
        advantage = self.advantage(features).reshape(*features.shape[:-1], *valid.shape)
        is_valid = jnp.broadcast_to(valid, advantage.shape)
        counts = jnp.broadcast_to(np.array(sizes, np.float32)[:, None], (*advantage.shape[:-1], 1))
        mean = (advantage * is_valid).sum(axis=-1, keepdims=True) / counts
        utilities = self.value(features)[..., None] + advantage - mean
        return Outputs(utilities if valid.all() else jnp.where(is_valid, utilities, NEVER), self.components)


@final
class QLambda(PolicyLearner):
    """Watkins' Q(λ) on replayed trials."""

    discount: float = 0.99
    """γ, from 0 to 1."""
    lambda_: float = 0.8
    """λ of Q(λ), from 0 to 1: how much of the target comes from the steps really taken while they stay greedy."""
    double: bool = True
    """Double Q-learning: the averaged networks value the action that the learning ones choose."""
    epsilon_low: float = 0.05
    """Lowest share of random actions among the trials collected."""
    epsilon_high: float = 0.6
    """Highest share of random actions among the trials collected; a trial's own is drawn evenly in its logarithm."""
    random_actions: tuple[float, ...] = ()
    """How likely each action is when acting at random, as weights; without any, all alike."""
    on_policy: ClassVar[bool] = False
    name: ClassVar[str] = "q"

    def __check_init__(self):
        """Refuse values that make no sense."""
        shares = "discount lambda_ epsilon_low epsilon_high"
        check_ranges(self, positive="epsilon_low", shares=shares)
        if self.epsilon_low > self.epsilon_high:
            raise ScoutError(f"epsilon_low ({self.epsilon_low}) must not exceed epsilon_high ({self.epsilon_high})")
        weights = self.random_actions
        if any(not weight >= 0 for weight in weights) or (weights and not sum(weights)):
            raise ScoutError(f"random_actions must be weights of at least 0, not all 0; they are {weights}")

    def head(self, features: int, space: Space, rng: Rng) -> QHead:
        """Duelling utilities."""
        if not isinstance(space, Discrete | MultiDiscrete):
            raise ScoutError(
                f"learner=q learns Discrete and MultiDiscrete actions, and those of the family are a "
                f"{type(space).__name__}: choose a learner that can, such as learner=ppo"
            )
        components = Components.of(space)
        if self.random_actions and (components.shape or len(self.random_actions) != components.sizes[0]):
            has = "several numbers an action" if components.shape else f"{components.sizes[0]} actions"
            raise ScoutError(f"random_actions has {len(self.random_actions)} weights; the family has {has}")
        return QHead(features, components, rng)

    def noise(self, key: PRNGKeyArray) -> Float[Array, ""]:
        """ε, the share of random actions in this trial."""
        low, high = np.log(self.epsilon_low, dtype=np.float32), np.log(self.epsilon_high, dtype=np.float32)
        return jnp.exp(jax.random.uniform(key, minval=low, maxval=high))

    def bound(self, noise: Float[Array, ""], least: Share, most: Share = 1.0) -> Float[Array, ""]:
        """ε between `least` and `most`."""
        return jnp.clip(noise, least, most)

    def act(self, outputs: Outputs, noise: Float[Array, ""], key: PRNGKeyArray, greedy: bool) -> Action:
        """ε-greedy, each component by itself."""
        best = outputs.utilities.argmax(axis=-1)
        if not greedy:
            dice, draw = jax.random.split(key)
            random = jax.random.uniform(dice, best.shape) < noise
            best = jnp.where(random, self._random(outputs.components, draw), best)
        return outputs.components.join(best)

    def keep(self, outputs: Outputs, action: Action) -> Kept:
        """Nothing: Q-learning learns from whatever was done, for whatever reason."""
        return None

    def loss(
        self, head: QHead, target: QHead, features: Features, target_features: Features, steps: Steps
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Squared error to the targets of Q(λ)."""
        q = head(features).utilities
        target_q = target(target_features).utilities if self.double else q
        greedy, choices = q.argmax(axis=-1), head.components.split(steps.actions)
        values = chosen(target_q, greedy)[:, 1:]
        taken = chosen(q[:, :-1], choices), (greedy[:, :-1] == choices).all(axis=-1)
        return q_loss(*taken, values, steps.rewards, steps.discounts, steps.mask, self.lambda_, steps.weight), {}

    def _random(self, components: Components, key: PRNGKeyArray) -> Int[Array, " components"]:
        if self.random_actions:
            return jax.random.categorical(key, jnp.log(jnp.asarray(self.random_actions)))[None]
        return jax.random.randint(key, (len(components.sizes),), 0, np.array(components.sizes))
