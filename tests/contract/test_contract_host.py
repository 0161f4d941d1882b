"""Trials of a family on the host are those of the same family in JAX, whatever learns from them."""

import contextlib

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract.cases import BASE, FIRST, ProbeSampler, algorithm_of, fresh, quick_jit
from contract.families import KINDS, Probe
from contract.test_contract_learn import close

from scoutrl import from_gymnasium
from scoutrl.trials.sampler import sampler_for

KIND = "vectors"
"""Has no goals: in JAX and in Gymnasium they would be drawn from other numbers."""
CASES = [case._replace(kind=KIND) for case in (BASE[0], FIRST[-1])]
"""DREAM, and one that keeps something of its decisions."""


class GymProbe(gymnasium.Env):
    """The rules of `Probe` once more."""

    observation_space, action_space = KINDS[KIND].observation, KINDS[KIND].action

    def __init__(self, secret: float):
        self.secret, self.steps = int(secret > 0), 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return seen(0), {}

    def step(self, action):
        self.steps += 1
        code = 1 + self.secret if action == 1 else 0
        ends = bool(action >= 2)
        return seen(code), float(ends == (self.secret == 0)), ends, self.steps >= 3, {}


def seen(code: int) -> np.ndarray:
    return np.array([code - 1, 2 * code], np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_collected_on_the_host_is_what_is_collected_in_jax(case):
    family = from_gymnasium(lambda problem: GymProbe(problem["secret"]), Probe(KIND).problems, 3, workers=1)
    algorithm, state, probe = algorithm_of(case), fresh(case).algorithm, ProbeSampler(Probe(KIND))
    ids, keys = jnp.asarray(family.problems.ids)[np.arange(8) % 4], jax.random.split(jax.random.key(3), 8)
    with contextlib.closing(sampler_for(family)) as sampler:
        found = collect(sampler, algorithm, state, ids, keys)
    wanted = quick_jit(lambda *given: collect(probe, algorithm, *given))(state, ids, keys)
    close(lived(found), lived(wanted))


def collect(sampler, algorithm, state, problems, keys):
    """Trials to learn from."""
    collector = eqx.Partial(algorithm.collector, sampler.spec, state)
    return sampler.sample(collector, problems, keys, algorithm.protocol(greedy=False))


def lived(trials):
    """Without what was done and kept after an episode's end, which means nothing."""

    def one(episodes):
        mask, after = np.asarray(episodes.mask), (episodes.actions, episodes.kept)
        masked = jax.tree.map(lambda x: np.where(mask.reshape(*mask.shape, *[1] * (x.ndim - 3)), x, 0), after)
        return eqx.tree_at(lambda of: (of.actions, of.kept), episodes, masked, is_leaf=lambda leaf: leaf is None)

    return one(trials.exploration), one(trials.exploitation)
