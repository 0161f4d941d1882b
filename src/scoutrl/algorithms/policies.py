"""The two kinds of policy that several algorithms have: one that explores, one that solves a task it knows."""

from typing import Literal, final

import equinox as eqx
import jax
import jax.numpy as jnp
from gymnasium import Space
from jaxtyping import Array, Float

from scoutrl.nn.init import Rng
from scoutrl.nn.linear import Linear
from scoutrl.nn.norm import LayerNorm
from scoutrl.nn.recurrent import History, TransitionFeatures
from scoutrl.rl.learner import Features, Head, PolicyLearner


@final
class Explorer(eqx.Module):
    """π_exp(a | s_:t, a_:t): recurrent over the transitions of the trial."""

    history: History | None
    """Over the transitions of the trial; None where it reads a memory that it shares with others."""
    mix: Linear
    """From memory and the observation at hand."""
    deeper: list[Linear]
    """Further layers."""
    norms: list[LayerNorm]
    """Normalise each layer; empty where there is one only."""
    head: Head
    """To what the learner needs."""

    def __init__(
        self,
        history: History | None,
        inputs: int,
        width: int,
        learner: PolicyLearner,
        action: Space,
        rng: Rng,
        layers: int = 1,
    ):
        """Draw a policy with so many hidden layers for that many features of memory and observation together."""
        self.history = history
        self.mix = Linear(inputs, width, rng)
        self.deeper = [Linear(width, width, rng) for _ in range(layers - 1)]
        self.norms = [LayerNorm(width) for _ in range(layers)] if layers > 1 else []
        self.head = learner.head(width, action, rng)

    def features(self, memory: Array, observation: Array) -> Features:
        """The last hidden layer, given the memory and the features of an observation."""
        x = self.mix(jnp.concatenate([memory, observation], axis=-1))
        if not self.norms:
            return jax.nn.relu(x)
        x = jax.nn.relu(self.norms[0](x))
        for layer, norm in zip(self.deeper, self.norms[1:], strict=True):
            x = jax.nn.relu(norm(layer(x)))
        return x

    def unroll(
        self, transitions: TransitionFeatures, shared: Float[Array, "batch time+1 hidden"] | None = None
    ) -> Features:
        """The last hidden layer before each step of [batch, time] transitions; after the last one, zeros.

        `shared` is the memory on every prefix, of an explorer that has none of its own.
        """
        memory = shared if self.history is None else self.history.scan(transitions)
        assert memory is not None
        features = self.features(memory[:, :-1], transitions.before)
        # No return goes on after the last step, so that what comes there is of no account.
        return jnp.pad(features, ((0, 0), (0, 1), (0, 0)))


@final
class Conditioned(eqx.Module):
    """The hidden layers of a policy, conditioned on what is known of the problem (FiLM: Perez et al. 2018)."""

    embed: Linear
    """From what is seen."""
    scale: Linear
    """From what is known, multiplied into the second layer."""
    shift: Linear
    """From what is known, added to it."""
    hidden: list[Linear]
    """Two layers after it comes in: one is not enough."""

    def __init__(self, seen: int, known: int, width: int, rng: Rng):
        """Draw layers for inputs of such lengths."""
        self.embed = Linear(seen, width, rng)
        self.scale, self.shift = Linear(known, width, rng, gain=1.0), Linear(known, width, rng, gain=1.0)
        self.hidden = [Linear(width, width, rng), Linear(width, width, rng)]

    def __call__(self, seen: Array, known: Array) -> Features:
        """The last hidden layer."""
        x = jax.nn.relu(self.embed(seen))
        x = jax.nn.relu(self.hidden[0](x) * (1 + self.scale(known)) + self.shift(known))
        return jax.nn.relu(self.hidden[1](x))


@final
class Joined(eqx.Module):
    """The hidden layers of a policy that sees what it knows beside everything else."""

    embed: Linear
    """From what is seen and what is known."""
    hidden: Linear
    """A second layer: one is not enough to combine the two."""

    def __init__(self, seen: int, known: int, width: int, rng: Rng):
        """Draw layers for inputs of such lengths."""
        self.embed, self.hidden = Linear(seen + known, width, rng), Linear(width, width, rng)

    def __call__(self, seen: Array, known: Array) -> Features:
        """The last hidden layer; both have the same leading axes."""
        return jax.nn.relu(self.hidden(jax.nn.relu(self.embed(jnp.concatenate([seen, known], axis=-1)))))


Conditioning = Literal["scaled", "joined"]
"""How a policy takes in what it knows: by a factor and a term in its second layer, or beside what it sees."""
LAYERS: dict[Conditioning, type[Conditioned | Joined]] = {"scaled": Conditioned, "joined": Joined}
"""The hidden layers of each kind."""


@final
class TaskPolicy(eqx.Module):
    """π_task(a | s, g, z): solves the task that z tells of."""

    history: History | None
    """Recurrent over the transitions of the episode; None where observation, goal and z say all."""
    layers: Conditioned
    """From observation, goal and memory, conditioned on z."""
    head: Head
    """To what the learner needs."""

    def __init__(
        self, history: History | None, inputs: int, z: int, width: int, learner: PolicyLearner, action: Space, rng: Rng
    ):
        """Draw a policy for that many features of observation, goal and memory together."""
        self.history, self.layers = history, Conditioned(inputs, z, width, rng)
        self.head = learner.head(width, action, rng)

    def features(self, memory: Array | None, observation: Array, goal: Array, z: Array) -> Features:
        """The last hidden layer, given features of observation and goal (an empty last axis without goals)."""
        inputs = [observation, goal] if memory is None else [observation, goal, memory]
        return self.layers(jnp.concatenate(inputs, axis=-1), z)

    def initial(self) -> Array | None:
        """The memory at the beginning of an episode."""
        return None if self.history is None else self.history.initial()

    def remember(self, memory: Array | None, transition: TransitionFeatures) -> Array | None:
        """The memory after one more transition."""
        return None if self.history is None or memory is None else self.history.step(memory, transition)
