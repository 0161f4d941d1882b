"""Double duelling Q(λ) learning with ε-greedy noise: for one number an action, several at once, or bins of a Box."""

from typing import ClassVar, Literal, final

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from jaxtyping import Array, Float, Int, PRNGKeyArray

from scoutrl.errors import ScoutError
from scoutrl.nn.init import Rng
from scoutrl.ranges import check_ranges
from scoutrl.rl.actions import Bins, Choices, Components, chosen, require_actions
from scoutrl.rl.held import HeldActions
from scoutrl.rl.learner import Action, Features, Kept, Noise, PolicyLearner, Share, Steps
from scoutrl.rl.q_head import Outputs, QHead
from scoutrl.rl.q_learning import q_loss


@final
class QLambda(PolicyLearner):
    """Q(λ) on replayed trials."""

    discount: float = 0.99
    """γ, from 0 to 1."""
    lambda_: float = 0.8
    """λ of Q(λ), from 0 to 1: how much of the target comes from the steps really taken."""
    traces: Literal["auto", "watkins", "peng"] = "auto"
    """How far the target follows them: as long as they are greedy (watkins), or always (peng), which is biased by what
    was tried, but follows actions of many numbers too, hardly ever all greedy. auto: peng in a Box, else watkins."""
    double: bool = True
    """Double Q-learning: the averaged networks value the action that the learning ones choose."""
    epsilon_low: float = 0.05
    """Lowest share of random actions among the trials collected."""
    epsilon_high: float = 0.6
    """Highest share of random actions among the trials collected; a trial's own is drawn evenly in its logarithm."""
    random_actions: tuple[float, ...] = ()
    """How likely each action is when acting at random, as weights; without any, all alike."""
    bins: int = 5
    """Actions in a Box: how many evenly spaced numbers each coordinate may be, at least 2; odd, to have the middle."""
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
        if self.bins < 2:
            raise ScoutError(f"bins must be 2 or more: the lower and the upper bound; it is {self.bins}")

    def head(self, features: int, space: Space, rng: Rng) -> QHead:
        """Duelling utilities."""
        require_actions(self.name, space, Discrete, MultiDiscrete, Box)
        components = Bins.of(space, self.bins) if isinstance(space, Box) else Components.of(space)  # type: ignore
        one = isinstance(components, Components) and not components.shape
        if self.random_actions and not (one and len(self.random_actions) == components.sizes[0]):
            has = f"{components.sizes[0]} actions" if one else "several numbers an action"
            raise ScoutError(f"random_actions has {len(self.random_actions)} weights; the family has {has}")
        return QHead(features, components, rng)

    def noise(self, key: PRNGKeyArray, head: QHead) -> Noise:
        """ε, the share of random actions in this trial; in a Box beside actions to hold."""
        low, high = np.log(self.epsilon_low, dtype=np.float32), np.log(self.epsilon_high, dtype=np.float32)
        epsilon = jnp.exp(jax.random.uniform(key, minval=low, maxval=high))
        if isinstance(head.components, Components):
            return epsilon
        return HeldActions.draw(jax.random.fold_in(key, 2), len(head.components.sizes), epsilon)

    def bound(self, noise: Noise, least: Share, most: Share = 1.0) -> Noise:
        """ε between `least` and `most`; in a Box the share of trials that are random altogether is at least `least`."""
        return noise.bound(least, most) if isinstance(noise, HeldActions) else jnp.clip(noise, least, most)

    def advance(self, noise: Noise) -> Noise:
        """Hold the random action, or turn to another."""
        return noise.advance() if isinstance(noise, HeldActions) else noise

    def act(self, outputs: Outputs, noise: Noise, key: PRNGKeyArray, greedy: bool) -> Action:
        """ε-greedy, each component by itself."""
        best = outputs.utilities.argmax(axis=-1)
        if greedy:
            return outputs.components.join(best)
        is_held = isinstance(noise, HeldActions)
        epsilon = noise.epsilon if is_held else noise
        dice, draw = jax.random.split(key)
        random = jax.random.uniform(dice, best.shape) < epsilon
        best = jnp.where(random, self._random(outputs.components, draw), best)
        if is_held:
            bins = jnp.minimum((noise.place * self.bins).astype(best.dtype), self.bins - 1)
            best = jnp.where(noise.wanders, bins, best)
        return outputs.components.join(best)

    def worth(self, outputs: Outputs) -> Float[Array, "*batch"]:
        """Q of the best action."""
        return chosen(outputs.utilities, outputs.utilities.argmax(axis=-1))

    def keep(self, outputs: Outputs, action: Action) -> Kept:
        """Nothing: Q-learning learns from whatever was done, for whatever reason."""
        return None

    def loss(
        self,
        head: QHead,
        target: QHead,
        features: Features,
        target_features: Features,
        steps: Steps,
        key: PRNGKeyArray,
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Squared error to the targets of Q(λ)."""
        q = head(features).utilities
        target_q = target(target_features).utilities if self.double else q
        greedy, choices = q.argmax(axis=-1), head.components.split(steps.actions)
        values = chosen(target_q, greedy)
        follow = (greedy[:, :-1] == choices).all(axis=-1)
        if self.traces == "peng" or (self.traces == "auto" and isinstance(head.components, Bins)):
            follow = jnp.ones_like(follow)
        if steps.floor is not None:
            # Where going on is worth less the best policy ends, and no step that was taken there is followed.
            follow = follow & (values[:, :-1] >= steps.floor)
            values = jnp.maximum(values, steps.floor)
        taken = chosen(q[:, :-1], choices), follow
        return q_loss(*taken, values[:, 1:], steps.rewards, steps.discounts, steps.mask, self.lambda_, steps.weight), {}

    def _random(self, components: Choices, key: PRNGKeyArray) -> Int[Array, " components"]:
        if self.random_actions:
            return jax.random.categorical(key, jnp.log(jnp.asarray(self.random_actions)))[None]
        return jax.random.randint(key, (len(components.sizes),), 0, np.array(components.sizes))
