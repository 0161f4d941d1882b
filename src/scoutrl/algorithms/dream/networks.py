"""DREAM's networks: those that act, and the encoder that is used in training only."""

import equinox as eqx
import jax
import jax.numpy as jnp
from gymnasium.spaces import Discrete
from jaxtyping import Array, Float

from scoutrl.envs import MetaEnv
from scoutrl.envs.base import Goal
from scoutrl.errors import ScoutError
from scoutrl.nn.encoders import Encoder, encoder_for
from scoutrl.nn.heads import Duelling
from scoutrl.nn.linear import Linear
from scoutrl.nn.problem_encoder import ProblemEncoder
from scoutrl.nn.recurrent import History


class Decoder(eqx.Module):
    """g_ω(τ), the mean of q_ω(z|τ) = N(g_ω(τ), ρ²I)."""

    history: History
    """Recurrent over the transitions of τ."""
    out: Linear
    """From memory to z."""

    def __call__(self, hidden: Float[Array, "*batch hidden"]) -> Float[Array, "*batch z"]:
        """g of what the memory holds."""
        return self.out(hidden)


class Explorer(eqx.Module):
    """π_exp: action values of the exploration policy."""

    history: History
    """Recurrent over the transitions of the trial."""
    mix: Linear
    """From memory and the observation at hand."""
    head: Duelling
    """To action values."""

    @property
    def actions(self) -> int:
        """Number of actions."""
        return self.head.advantage.bias.shape[-1]

    def __call__(self, hidden: Array, observation: Array) -> Float[Array, "*batch actions"]:
        """Q_exp(s_:t, a_:t, ·)."""
        return self.head(jax.nn.relu(self.mix(jnp.concatenate([hidden, observation], axis=-1))))


class Policy(eqx.Module):
    """π_task: action values of the exploitation policy, given z."""

    history: History | None
    """Recurrent over the transitions of the episode; None where observation, goal and z say all."""
    look: Linear
    """From observation, goal and memory."""
    scale: Linear
    """From z, multiplied into the first hidden layer."""
    task: Linear
    """From z, added to it."""
    hidden: list[Linear]
    """Two hidden layers after z is known: one is not enough."""
    head: Duelling
    """To action values."""

    def __call__(
        self, memory: Array | None, observation: Array, goal: Array, z: Array
    ) -> Float[Array, "*batch actions"]:
        """Q_task(s, g, z, ·); `goal` is its features, an empty last axis without goals."""
        seen = [observation, goal] if memory is None else [observation, goal, memory]
        x = jax.nn.relu(self.look(jnp.concatenate(seen, axis=-1)))
        x = jax.nn.relu(self.hidden[0](x) * (1 + self.scale(z)) + self.task(z))
        return self.head(jax.nn.relu(self.hidden[1](x)))


class Actors(eqx.Module):
    """Every network that acts; none of them has ever a problem ID for input."""

    observe: Encoder
    """Encodes observations, for all three."""
    instruct: Encoder | None
    """Encodes goals; None without goals."""
    decoder: Decoder
    explorer: Explorer
    policy: Policy

    def goal_features(self, goal: Goal, batch: tuple[int, ...]) -> Array:
        """Features of a goal, with no features at all where there is none."""
        return jnp.zeros((*batch, 0)) if self.instruct is None or goal is None else self.instruct(goal)


class DreamNets(eqx.Module):
    """All that is learnt."""

    encoder: ProblemEncoder
    """f_ψ, used in training only."""
    actors: Actors
    """g_ω, π_exp and π_task."""


class Sizes(eqx.Module):
    """How large the networks are."""

    z: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    memory: int = eqx.field(static=True)
    policy_width: int = eqx.field(static=True)
    policy_memory: bool = eqx.field(static=True)


def build(env: MetaEnv, sizes: Sizes, z_scale: float) -> DreamNets:
    """Networks for the spaces and problems of `env`, yet to be drawn (`randomise`).

    Raises:
        ScoutError: a space no encoder reads, or actions that are not discrete.
    """
    spaces, z, width = env.spaces, sizes.z, sizes.policy_width
    if not isinstance(spaces.action, Discrete):
        kind = type(spaces.action).__name__
        raise ScoutError(f"DREAM learns Discrete actions only; the action space of {type(env).__name__} is a {kind}")
    actions = int(spaces.action.n)
    observe = encoder_for(spaces.observation)
    instruct = None if spaces.goal is None else encoder_for(spaces.goal)

    def history(hidden: int) -> History:
        return History(observe.size, actions, sizes.width, hidden)

    seen = observe.size + (instruct.size if instruct else 0) + (width if sizes.policy_memory else 0)
    actors = Actors(
        observe=observe,
        instruct=instruct,
        decoder=Decoder(history(sizes.memory), Linear(sizes.memory, z, gain=1.0)),
        explorer=Explorer(
            history(sizes.memory), Linear(sizes.memory + observe.size, sizes.width), Duelling(sizes.width, actions)
        ),
        policy=Policy(
            history(width) if sizes.policy_memory else None,
            look=Linear(seen, width),
            scale=Linear(z, width, gain=1.0),
            task=Linear(z, width, gain=1.0),
            hidden=[Linear(width, width), Linear(width, width)],
            head=Duelling(width, actions),
        ),
    )
    return DreamNets(ProblemEncoder(env.problems, z, z_scale), actors)
