"""Every algorithm with every learner on every kind of family, as small as can be; each program is compiled once."""

import itertools
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract.families import KINDS, SHADES, Bare, Probe
from jaxtyping import Array, PRNGKeyArray
from training.inline import Chunk, chunk

from scoutrl.algorithms.base import Algorithm
from scoutrl.algorithms.registry import algorithms, find
from scoutrl.algorithms.settings import LEARNER, build, settings_of
from scoutrl.errors import ScoutError
from scoutrl.lowering import Lowered
from scoutrl.nn.init import generator
from scoutrl.rl.registry import find_learner, learners
from scoutrl.training.compilation import use_compilation_cache
from scoutrl.training.state import TrainingState, start
from scoutrl.trials.agent import Agent
from scoutrl.trials.sampler import DeviceSampler, Sampler
from scoutrl.trials.trial import Trial

SMALL = {
    **dict.fromkeys(["z", "latent", "embedding"], 3),
    **dict.fromkeys(["width", "memory_size", "policy_width"], 8),
    **{"trials_per_iteration": 8, "batch_size": 4, "updates_per_iteration": 2, "capacity": 16, "warmup": 2},
    "decoded_share": 1.0,
}
"""Settings for all algorithms that have them."""
QUICK: Any = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Compiles in less than half the time, for what is run once or twice."""

use_compilation_cache()


class Case(NamedTuple):
    """What is tried together."""

    algorithm: str
    learner: str | None
    """None where the algorithm has no choice of learners."""
    kind: str

    def settings(self) -> dict[str, Any]:
        """Settings, the learner included."""
        known = settings_of(find(self.algorithm), self.learner)
        chosen = {} if self.learner is None else {LEARNER: self.learner}
        return chosen | {name: value for name, value in SMALL.items() if name in known}

    def __str__(self) -> str:
        return "-".join(part for part in self if part)


def algorithm_of(case: Case) -> Algorithm:
    return build(find(case.algorithm), case.settings())


def learners_of(algorithm: str) -> list[str] | list[None]:
    """All that can be asked for."""
    return list(learners()) if LEARNER in settings_of(find(algorithm)) else [None]


def head_refuses(case: Case) -> str:
    """Why the learner's own head cannot be made for the actions of the family; empty if it can."""
    try:
        if case.learner is not None:
            find_learner(case.learner)().head(4, KINDS[case.kind].action, generator(jax.random.key(0)))  # type: ignore
    except ScoutError as error:
        return str(error)
    return ""


def _learns(case: Case) -> bool:
    try:
        algorithm_of(case)
    except ScoutError:
        return False
    return not head_refuses(case)


CASES = [Case(name, one, kind) for name in algorithms() for one in learners_of(name) for kind in KINDS]
LEARNT = [case for case in CASES if _learns(case)]
"""Those that are not refused."""
BASE = [next(group) for _, group in itertools.groupby(LEARNT, lambda case: case[:2])]
"""One for each algorithm and learner, on the first kind of family that it learns."""
_FLEXIBLE = [
    case for case in LEARNT if {one.learner for one in LEARNT if one.algorithm == case.algorithm} >= {*learners()}
]
_ONE = [case for case in _FLEXIBLE if case.algorithm == _FLEXIBLE[0].algorithm]
FIRST = [case for case in BASE if case in _ONE]
"""One for each learner, of the first algorithm that goes with all of them."""
_STAND = {*{one.algorithm: one for one in reversed(BASE)}.values(), *FIRST, *{one.kind: one for one in _ONE}.values()}
SOME = [case for case in LEARNT if case in _STAND]
"""Each algorithm once, and one algorithm with each learner and on each kind of family."""
FEW = [BASE[0], FIRST[-1]]
"""DREAM on replayed trials, and one algorithm that learns from fresh ones."""
SMOKE = {BASE[0], FIRST[-1]}
"""Two that stand for all where there is little time."""


def each(cases: list[Case], quick: set[Case] | None = None, usual: list[Case] | None = None) -> pytest.MarkDecorator:
    """Parametrise by `case`; all but the quick ones are marked slow, and all but the `usual` ones, SOME, long."""
    quick, usual = SMOKE if quick is None else quick, SOME if usual is None else usual

    def marks(case: Case) -> list[pytest.MarkDecorator]:
        known = [(pytest.mark.slow, case not in quick), (pytest.mark.long, case not in usual)]
        return [mark for mark, applies in known if applies]

    marked = [pytest.param(case, id=str(case), marks=marks(case)) for case in cases]
    # One case after the other: the programs of all of them would fill the memory.
    return pytest.mark.parametrize("case", marked, scope="module")


class ProbeSampler(Sampler):
    """Samples a family, and lets algorithms see no more of it than they may."""

    traced = True

    def __init__(self, env: Probe):
        self._sampler, self._spec = DeviceSampler(env), Bare(env)

    @property
    def spec(self) -> Bare:
        return self._spec

    def sample(self, *given) -> Trial:  # type: ignore
        return self._sampler.sample(*given)

    def call(self, function, *arguments) -> Any:
        return self._sampler.call(function, *arguments)

    def lower(self, *given) -> Lowered:  # type: ignore
        return self._sampler.lower(*given)


def quick_jit(function: Callable) -> Callable:
    return eqx.filter_jit(function, compiler_options=QUICK)  # pyright: ignore[reportCallIssue]


@cache
def fresh(case: Case, seed: int = 0) -> TrainingState:
    """A state whose weights are all random: biases of 0, and averages that are copies, would hide mistakes."""
    state = start(Bare(Probe(case.kind)), algorithm_of(case), seed)
    nets, targets = (noisy(tree, 10 * seed + i) for i, tree in enumerate(weights(state)))
    return eqx.tree_at(weights, state, (nets, targets), is_leaf=lambda leaf: leaf is None)


def weights(state: TrainingState) -> tuple[Any, Any]:
    """All that is learnt, and the averages of it."""
    return state.algorithm.networks, state.algorithm.targets


def noisy(tree: Any, seed: int) -> Any:
    """The tree with random numbers added to all of its own; the more inputs a layer has, the smaller."""
    random = np.random.default_rng(seed)

    def noise(x: Array) -> Any:
        inputs = max(len(x), 1) if x.ndim > 1 else 4
        return 0.5 * random.standard_normal(x.shape, np.float32) / np.float32(inputs) ** 0.5

    reals, rest = eqx.partition(tree, eqx.is_inexact_array)
    return eqx.combine(jax.tree.map(lambda x: x + noise(x), reals), rest)


@lru_cache(1)
def advance(case: Case) -> Callable[[TrainingState], tuple[TrainingState, Chunk]]:
    """One iteration, compiled."""
    jax.clear_caches()
    sampler, algorithm = ProbeSampler(Probe(case.kind)), algorithm_of(case)
    return quick_jit(lambda state: chunk(sampler, algorithm, 1, state))


@lru_cache(1)
def advanced(case: Case) -> tuple[TrainingState, Chunk]:
    """After one iteration."""
    return advance(case)(fresh(case))


@lru_cache(1)
def play(case: Case) -> Callable[[Agent, Array, PRNGKeyArray], Trial]:
    """One greedy trial in each of some problems, compiled."""
    jax.clear_caches()
    sampler, protocol = ProbeSampler(Probe(case.kind)), algorithm_of(case).protocol(greedy=True)
    return quick_jit(lambda agent, problems, keys: sampler.sample(lambda *_: agent, problems, keys, protocol))


def shades(kind: str) -> tuple[Array, Array]:
    """Problems of both secrets in one shade, and the same in the other."""
    ids = Probe(kind).problems.ids
    one, other = (jnp.asarray(ids[rows]) for rows in np.arange(len(ids)).reshape(SHADES.shape[:2]))
    return one, other
