"""What z knows: where problems lie in the space of z, and how much z keeps of each component of their IDs."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from scoutrl.algorithms.dream.knowledge import DreamKnowledge
from scoutrl.evaluation.recorded import RecordedTrials
from scoutrl.reporting.page.numbers import plain
from scoutrl.runs.open import TrainedRun
from scoutrl.trials.agent import Phase

MOST = 640
"""Problems that are shown and counted with, at most."""
_DRAWS = 4
"""Draws of z for each problem."""


@dataclasses.dataclass(frozen=True)
class Kept:
    """How much z keeps of a component of the problem ID."""

    name: str
    """The component."""
    share: float
    """Its share of the spread of f(μ), 0 … 1: the variance between the means of its values, of all variance."""
    bits: float
    """I(z; component), for z ~ N(f(μ), ρ²I) and problems that are equally likely."""
    all_bits: float
    """The entropy of the component: more cannot be kept."""


def information(
    f: Float[np.ndarray, "problems z"], ids: Int[np.ndarray, "problems k"], rho: float, names: tuple[str, ...]
) -> list[Kept]:
    """How much z ~ N(f(μ), ρ²I) tells of each component, by Monte Carlo: I(z; c) = E[log p(z | c) - log p(z)]."""
    draws = np.random.default_rng(0).normal(size=(_DRAWS, *f.shape)) * rho
    z = (f + draws).reshape(-1, f.shape[1])
    squares = ((z**2).sum(1)[:, None] + (f**2).sum(1)[None]) - 2 * z @ f.T
    logs = -squares / (2 * rho**2)
    likely = np.exp(logs - logs.max(axis=1, keepdims=True))
    found = []
    for name, values in zip(names, ids.T, strict=True):
        _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
        same = which[None, :] == np.tile(which, _DRAWS)[:, None]
        shares = counts / counts.sum()
        gain = np.log2((likely * same).sum(1) / same.sum(1)) - np.log2(likely.mean(1))
        means = np.stack([f[which == value].mean(axis=0) for value in range(len(counts))])
        share = float((shares[:, None] * (means - f.mean(axis=0)) ** 2).sum() / max(float(f.var(axis=0).sum()), 1e-12))
        found.append(Kept(name, share, max(0.0, float(gain.mean())), float(-(shares * np.log2(shares)).sum())))
    return found


def latent(trained: TrainedRun, trials: RecordedTrials) -> dict[str, Any] | None:
    """The map of z, flattened by principal components, and what z keeps; None for agents that decode no z."""
    decoded = trials.moments[trials.of_phase(Phase.EXPLOITATION)[0]].z
    if decoded is None or not isinstance(trained.knowledge, DreamKnowledge):
        return None
    problems = trained.env.problems
    rows = np.unique(np.linspace(0, len(problems.ids) - 1, min(MOST, len(problems.ids))).astype(int))
    ids, g = problems.ids[rows], np.asarray(decoded)[:MOST, 0]
    f = np.asarray(trained.knowledge.encoder(jnp.asarray(ids)))
    middle = f.mean(axis=0)
    _, sizes, axes = np.linalg.svd(f - middle, full_matrices=False)
    share = sizes**2 / max(float((sizes**2).sum()), 1e-12)
    components = problems.sizes is not None
    rho = float(getattr(trained.algorithm, "rho", 0.05))
    return {
        "names": list(problems.names),
        "ids": plain(ids),
        "f": plain((f - middle) @ axes[:2].T),
        "decoded_ids": plain(trials.ids[:MOST]),
        "g": plain((g - middle) @ axes[:2].T),
        "share": plain(share[:2].sum()),
        "kept": [dataclasses.asdict(one) for one in information(f, ids, rho, problems.names)] if components else [],
    }
