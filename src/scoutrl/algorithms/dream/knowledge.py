"""How much DREAM's agent knows of a problem."""

from typing import final

import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.algorithms.dream.agent import DreamMemory
from scoutrl.algorithms.dream.networks import Decoder
from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import Problem
from scoutrl.nn.problem_encoder import ProblemEncoder


@final
class DreamKnowledge(Knowledge):
    """1 - ‖f(μ) - g(τ)‖² / ‖f(μ) - g(∅)‖²: below 0 when exploring has misled the decoder."""

    encoder: ProblemEncoder
    decoder: Decoder

    def __call__(self, problem: Problem, memory: DreamMemory) -> Float[Array, ""]:
        """From the decoder's memory of the exploration episodes."""
        f = self.encoder(jnp.asarray(problem))
        left = ((f - self.decoder(memory.decoder)) ** 2).sum()
        begun = ((f - self.decoder(self.decoder.history.initial())) ** 2).sum()
        return 1 - left / jnp.maximum(begun, 1e-6)
