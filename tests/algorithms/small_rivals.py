"""The algorithms with one policy for the whole trial, as small as they can be, on the smallest family with goals."""

from functools import cache

import jax
from algorithms.small_dream import SEVERAL, SIZES, TRIALS, begun, play
from probes.rooms import Rooms

from scoutrl.algorithms.base import AlgorithmState
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd
from scoutrl.algorithms.registry import find
from scoutrl.algorithms.settings import build
from scoutrl.trials.trial import Trial

RIVALS = ["rl2", "e-rl2", "import", "varibad"]


def small(name: str, **settings) -> EndToEnd:
    sizes = {**SIZES, **SEVERAL, "memory_size": 4, "capacity": 2 * TRIALS, "updates_per_iteration": 1, "warmup": 1}
    sizes |= {"width": 8, "policy_width": 8}  # of four units, all may be dead
    rival = build(find(name), {**sizes, **settings})
    assert isinstance(rival, EndToEnd)
    return rival


@cache
def lived(name: str, learner: str = "q", seed: int = 0) -> tuple[Rooms, AlgorithmState, Trial]:
    """A family, a fresh state whose weights are all random, and trials of two and two episodes to learn from."""
    env, rival = Rooms(), small(name, learner=learner)
    state = begun(env, rival, seed)
    return env, state, play(env, rival, state, jax.random.key(seed))
