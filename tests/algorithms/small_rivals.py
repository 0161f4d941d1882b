"""The algorithms with one policy for the whole trial, as small as they can be, on the smallest family with goals."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
from algorithms.small_dream import SEVERAL, TRIALS, noisy, quick_jit
from probes.rooms import Rooms

from scoutrl.algorithms.off_policy import Learner
from scoutrl.algorithms.recurrent.end_to_end import EndToEnd
from scoutrl.algorithms.registry import find
from scoutrl.training.iteration import collect
from scoutrl.training.state import TrainingState
from scoutrl.trials.trial import Trial

RIVALS = ["rl2", "e-rl2", "import", "varibad"]
SIZES = {"width": 4, "memory": 4, "policy_width": 4, "trials": TRIALS, "batch": TRIALS, "capacity": 2 * TRIALS}


def small(name: str, **settings) -> EndToEnd:
    made = find(name)
    assert issubclass(made, EndToEnd)
    return made(**{**SIZES, **SEVERAL, "updates": 1, "warmup": 1, **settings})


@cache
def lived(name: str, learner: str = "q", seed: int = 0) -> tuple[Rooms, Learner, Trial]:
    """A family, a fresh state whose weights are all random, and trials of two and two episodes to learn from."""
    env, rival, key = Rooms(), small(name, learner=learner), jax.random.key(seed)
    state = _init(rival, env, key)
    # A fresh average is a copy and fresh biases are zero, which hides mistakes.
    nets = noisy(state.nets, seed), noisy(state.average, seed + 100)
    state = eqx.tree_at(lambda s: (s.nets, s.average), state, nets)
    return env, state, play(rival, env, state, key)


@quick_jit
def _init(rival, env, key):
    return rival.init(env, key)


@quick_jit
def play(rival, env, state, key):
    """Training trials of the agents that `rival` collects with."""
    problems, keys = env.problems.sample(key, TRIALS), jax.random.split(key, TRIALS)
    return collect(env, rival, TrainingState(state, key, jnp.int32(0)), problems, keys)
