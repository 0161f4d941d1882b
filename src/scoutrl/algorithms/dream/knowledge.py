"""How near DREAM's decoder has come to the encoding of the problem, for people who look on."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from scoutrl.algorithms.dream.agent import DreamMemory
from scoutrl.algorithms.dream.networks import Decoder
from scoutrl.algorithms.knowledge import Knowledge
from scoutrl.envs import Problem
from scoutrl.nn.problem_encoder import ProblemEncoder


class DreamKnowledge(Knowledge):
    """1 - ‖f(μ) - g(τ)‖² / ‖f(μ) - g(∅)‖²: below 0 when exploring has misled the decoder."""

    encoder: ProblemEncoder
    """f_ψ."""
    decoder: Decoder
    """g_ω."""

    def __call__(self, problem: Problem, memory: DreamMemory) -> Float[Array, ""]:
        """Of `problem`, by the exploration episodes that `memory` holds."""
        f = self.encoder(jnp.asarray(problem))
        left = ((f - self.decoder(memory.belief)) ** 2).sum()
        begun = ((f - self.decoder(self.decoder.history.initial())) ** 2).sum()
        return 1 - left / jnp.maximum(begun, 1e-6)
