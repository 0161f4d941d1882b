"""Proximal policy optimisation (Schulman et al. 2017), for actions of every kind, on fresh trials."""

from typing import ClassVar, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.nn.init import Rng, zeros
from scoutrl.nn.linear import Linear
from scoutrl.ranges import check_ranges
from scoutrl.rl.actions import NEVER, Components, require_actions
from scoutrl.rl.distributions import Categorical, CensoredGaussian, Distribution
from scoutrl.rl.learner import Action, Features, Head, PolicyLearner, Share, Steps
from scoutrl.rl.policy_gradient import advantages, clipped_loss, normalise
from scoutrl.rl.q_learning import masked_mean


@final
class ActorCritic(Head):
    """π(·|s) and V(s)."""

    parameters: Linear
    """To the distribution's parameters."""
    critic: Linear
    """To V."""
    spread: Float[Array, " coordinates"]
    """Logarithm of the standard deviations of a Gaussian, in quarters of the box; empty where actions are numbered."""
    space: Space = eqx.field(static=True)
    """Of actions."""

    def __init__(self, features: int, space: Discrete | MultiDiscrete | Box, rng: Rng):
        """Draw a head for features of that length."""
        if isinstance(space, Box):
            count = spread = int(np.prod(space.shape))
        else:
            count, spread = Components.of(space).valid.size, 0
        self.parameters = Linear(features, count, rng, gain=0.01)
        self.critic = Linear(features, 1, rng, gain=1.0)
        self.spread, self.space = zeros(spread), space

    def __call__(self, features: Features) -> "Outputs":
        """π(·|s) and V(s)."""
        return Outputs(self._policy(self.parameters(features)), self.critic(features)[..., 0])

    def _policy(self, parameters: Float[Array, "*batch parameters"]) -> Distribution:
        space = self.space
        if isinstance(space, Box):
            low, high = jnp.asarray(space.low), jnp.asarray(space.high)
            middle, half = (jnp.broadcast_to(x, parameters.shape) for x in ((high + low) / 2, (high - low) / 2))
            mean = middle + half * parameters
            deviation = jnp.broadcast_to((high - low) / 4 * jnp.exp(self.spread), mean.shape)
            return CensoredGaussian(mean, deviation, tuple(space.low.tolist()), tuple(space.high.tolist()))
        assert isinstance(space, Discrete | MultiDiscrete)
        components = Components.of(space)
        logits = parameters.reshape(*parameters.shape[:-1], *components.valid.shape)
        return Categorical(jnp.where(jnp.broadcast_to(components.valid, logits.shape), logits, NEVER), components)


@final
class Outputs(eqx.Module):
    """What actions are drawn from, and what they are compared with."""

    policy: Distribution
    """π(·|s)."""
    value: Float[Array, "*batch"]
    """V(s)."""


@final
class Decision(eqx.Module):
    """What is kept of each step."""

    log_probability: Float[Array, "*batch"]
    """Of the action taken, by the policy that took it."""
    value: Float[Array, "*batch"]
    """V of the state it was taken in."""


@final
class Ppo(PolicyLearner):
    """PPO: an iteration takes `updates_per_iteration` steps on its fresh trials, passing through them all in turn."""

    discount: float = 0.99
    """γ, from 0 to 1."""
    lambda_: float = 0.8
    """λ of the advantages, from 0 to 1."""
    clip: float = 0.2
    """ε, how far a probability may move in one iteration for the gain to count."""
    entropy_weight: float = 0.03
    """Weight of the policy's entropy."""
    value_weight: float = 0.5
    """Weight of the value's squared error."""
    on_policy: ClassVar[bool] = True
    name: ClassVar[str] = "ppo"

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="clip", shares="discount lambda_", not_negative="entropy_weight value_weight")

    def head(self, features: int, space: Space, rng: Rng) -> ActorCritic:
        """A distribution that suits the space, and a value."""
        require_actions(self.name, space, Discrete, MultiDiscrete, Box)
        return ActorCritic(features, space, rng)  # type: ignore

    def noise(self, key: PRNGKeyArray, head: ActorCritic) -> None:
        """None: the policy itself is stochastic."""
        return None

    def bound(self, noise: None, least: Share, most: Share = 1.0) -> None:
        """None."""
        return None

    def act(self, outputs: Outputs, noise: None, key: PRNGKeyArray, greedy: bool) -> Action:
        """A draw from the policy, or its mode."""
        return outputs.policy.mode() if greedy else outputs.policy.sample(key)

    def keep(self, outputs: Outputs, action: Action) -> Decision:
        """Log-probability and value."""
        return Decision(outputs.policy.log_probability(jnp.asarray(action)), outputs.value)

    def loss(
        self,
        head: ActorCritic,
        target: ActorCritic,
        features: Features,
        target_features: Features,
        steps: Steps,
        key: PRNGKeyArray,
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """The clipped surrogate, the value's squared error, and the entropy."""
        policy, value, before = head(features[:, :-1]).policy, head(features).value, steps.kept
        known = jnp.concatenate([before.value, jax.lax.stop_gradient(value[:, -1:])], axis=1)
        advantage = jax.vmap(advantages, (0, 0, 0, None))(steps.rewards, steps.discounts, known, self.lambda_)
        surrogate = clipped_loss(
            policy.log_probability(steps.actions),
            before.log_probability,
            normalise(advantage, steps.mask),
            steps.mask,
            self.clip,
        )
        critic = masked_mean((value[:, :-1] - advantage - before.value) ** 2, steps.mask)
        entropy = masked_mean(policy.entropy(), steps.mask)
        loss = surrogate + self.value_weight * critic - self.entropy_weight * entropy
        return loss, {"surrogate": surrogate, "value_loss": critic, "entropy": entropy}
