"""The evaluations of a run: which problems they are on, and what comes of their trials."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from scoutrl.evaluation.evaluate import Scores, quick_means
from scoutrl.training.state import TrainingState
from scoutrl.trials.watch import Fault


def drawn(ids: np.ndarray, state: TrainingState, parts: int, at_once: int) -> np.ndarray:
    """Problems to evaluate on, [parts, seeds, at_once, k]; none comes twice before all of `ids` [n, k] were used once.

    They follow from the seed and the number of iterations done; `state` may have a leading axis of seeds.
    """
    done = np.atleast_1d(np.asarray(state.iteration))
    keys = np.asarray(jax.random.key_data(state.key)).reshape(len(done), -1)
    count = parts * at_once
    orders = [
        np.random.default_rng([*key, iteration]).permutation(len(ids))[np.arange(count) % len(ids)]
        for key, iteration in zip(keys, done, strict=True)
    ]
    return ids[np.stack(orders).reshape(len(done), parts, at_once).swapaxes(0, 1)]


def summed(scores: Sequence[Scores], trials: int) -> tuple[dict[str, float], Fault]:
    """Means of the first `trials` of all, by their full names, and what the family did wrong first in those."""
    whole: Scores = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:trials], *scores)
    means = {_full_name(name): value for name, value in quick_means(whole, "validation").items()}
    faults: Any = whole.faults
    place = int(np.argmax(faults.kind > 0))
    return means, jax.tree.map(lambda leaf: leaf[place], faults)


def _full_name(name: str) -> str:
    return name if name.startswith("validation_") else f"validation_{name}"
