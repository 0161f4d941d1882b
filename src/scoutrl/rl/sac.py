"""Soft actor-critic (Haarnoja et al. 2018) for actions in a Box, with λ-returns and an automatic temperature.

    y_t      = r_t + γ_t [ (1 - λ) min_i Q̄_i(s_{t+1}, ã_{t+1}) + λ y_{t+1} - α log π(ã_{t+1}|s_{t+1}) ],   ã ~ π
    critics:     Σ_i (Q_i(s_t, a_t) - y_t)²
    actor:       α log π(ã_t|s_t) - min_i Q_i(s_t, ã_t)
    temperature: -log α (log π(ã_t|s_t) + H̄),   H̄ = -|A|

What the policy sees is encoded for the critics: their loss alone reaches the layers below the head, and the critics'
weights are fixed in the actor's loss. Traces are not corrected for actions that π would not take (Peng's λ); the
entropy of the next state is that of π, also where the trace goes on.
"""

from typing import ClassVar, final

import jax
import jax.numpy as jnp
from gymnasium import Space
from gymnasium.spaces import Box
from jaxtyping import Array, Float, PRNGKeyArray

from scoutrl.nn.init import Rng
from scoutrl.ranges import check_ranges
from scoutrl.rl.actions import from_box, in_box, require_actions
from scoutrl.rl.held import HeldActions
from scoutrl.rl.learner import Action, Features, Kept, Noise, PolicyLearner, Share, Steps
from scoutrl.rl.q_learning import masked_mean, q_lambda_targets
from scoutrl.rl.sac_head import SacHead, Squashed

Losses = dict[str, Float[Array, ""]]
"""Named scalars."""


@final
class Sac(PolicyLearner):
    """SAC on replayed trials."""

    discount: float = 0.99
    """γ, from 0 to 1."""
    lambda_: float = 0.8
    """λ of the targets, from 0 to 1: how much of them comes from the steps really taken."""
    head_width: int = 128
    """Width of the hidden layers of actor and critics."""
    temperature: float = 0.1
    """α before learning: what a nat of entropy is worth, in units of reward."""
    target_entropy: float = -1.0
    """H̄ for each coordinate of an action, in nats, the Box being -1 … 1: α adapts until the policy is as undecided."""
    on_policy: ClassVar[bool] = False
    name: ClassVar[str] = "sac"

    def __check_init__(self):
        """Refuse values that make no sense."""
        check_ranges(self, positive="head_width temperature", shares="discount lambda_")

    def head(self, features: int, space: Space, rng: Rng) -> SacHead:
        """Actor, two critics, temperature."""
        require_actions(self.name, space, Box)
        assert isinstance(space, Box)
        return SacHead(features, space, self.head_width, self.temperature, rng)

    def noise(self, key: PRNGKeyArray, head: SacHead) -> HeldActions:
        """Actions to hold, in the trials that are random altogether; in others the policy is stochastic by itself."""
        return HeldActions.draw(key, head.size, 0.0)

    def bound(self, noise: HeldActions, least: Share, most: Share = 1.0) -> HeldActions:
        """A share of at least `least` of the trials are random altogether."""
        return noise.bound(least, most)

    def advance(self, noise: HeldActions) -> HeldActions:
        """Hold the random action, or turn to another."""
        return noise.advance()

    def act(self, outputs: Squashed, noise: Noise, key: PRNGKeyArray, greedy: bool) -> Action:
        """A draw from the policy, or its mode."""
        if greedy:
            return in_box((outputs.mode() + 1) / 2, outputs.low, outputs.high)
        drawn, _ = outputs.sample(key)
        return in_box(jnp.where(noise.wanders, noise.place, (drawn + 1) / 2), outputs.low, outputs.high)

    def keep(self, outputs: Squashed, action: Action) -> Kept:
        """Nothing: it learns from whatever was done, for whatever reason."""
        return None

    def loss(
        self,
        head: SacHead,
        target: SacHead,
        features: Features,
        target_features: Features,
        steps: Steps,
        key: PRNGKeyArray,
    ) -> tuple[Float[Array, ""], Losses]:
        """The sum of the three."""
        policy: Squashed = head(jax.lax.stop_gradient(features))
        drawn, log_probability = policy.sample(key)
        alpha = jax.lax.stop_gradient(jnp.exp(head.log_temperature))
        values = target.critics(target.critics.embed(target_features[:, 1:]), drawn[:, 1:]).min(axis=-1)
        targets = self.targets(values, -alpha * log_probability[:, 1:], steps)
        done = 2 * from_box(steps.actions, policy.low, policy.high) - 1
        states = head.critics.embed(features[:, :-1])
        errors = ((head.critics(states, done) - targets[..., None]) ** 2).sum(axis=-1)
        worth = jax.lax.stop_gradient(head.critics)(jax.lax.stop_gradient(states), drawn[:, :-1]).min(axis=-1)
        undecided = jax.lax.stop_gradient(log_probability[:, :-1]) + self.target_entropy * head.size
        losses = {
            "critic_loss": masked_mean(errors, steps.mask, steps.weight),
            "actor_loss": masked_mean(alpha * log_probability[:, :-1] - worth, steps.mask, steps.weight),
            "temperature_loss": masked_mean(-head.log_temperature * undecided, steps.mask, steps.weight),
        }
        entropy = -masked_mean(log_probability[:, :-1], steps.mask)
        return sum(losses.values(), jnp.float32(0.0)), {**losses, "temperature": alpha, "entropy": entropy}

    def targets(
        self, values: Float[Array, "batch time"], bonus: Float[Array, "batch time"], steps: Steps
    ) -> Float[Array, "batch time"]:
        """y_t; no gradient is taken through it.

        Args:
            values: min_i Q̄_i(s_{t+1}, ã_{t+1}).
            bonus: -α log π(ã_{t+1}|s_{t+1}).
            steps: rewards, discounts and mask.
        """
        traces = self.lambda_ * jnp.pad(steps.mask[:, 1:], ((0, 0), (0, 1)))
        rewards = steps.rewards + steps.discounts * bonus
        return jax.lax.stop_gradient(jax.vmap(q_lambda_targets)(rewards, steps.discounts, values, traces))
