"""How much memory a training takes, at least; from shapes alone, before anything is compiled."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from scoutrl._platform import device_memory, gigabytes, require_memory
from scoutrl.algorithms.base import Algorithm
from scoutrl.envs import Spec
from scoutrl.errors import ScoutError
from scoutrl.quiet import tell
from scoutrl.runs.config import RunConfig
from scoutrl.training.chunk import AT_ONCE
from scoutrl.training.state import state_like
from scoutrl.trials import replay
from scoutrl.trials.blank import blank

_LARGE = 8e9
"""Bytes from which on a replay is worth a word."""
_REPORT = 64
"""Bytes that the key and the metrics of one iteration, or of one gradient step, take until they are averaged; likewise
the scores of a trial."""


def check_memory(spec: Spec, algorithm: Algorithm, config: RunConfig, seeds: int, show: bool) -> float:
    """Refuse sizes that cannot fit, and mention a large replay.

    Args:
        spec: the family.
        algorithm: with its settings.
        config: what is to be trained.
        seeds: how many at once.
        show: mention it.

    Returns:
        Bytes that trials, networks and optimisers take, at least.

    Raises:
        ScoutError: more memory than there is; names how much it is, and the setting to lower.
    """
    trial = _trial_bytes(spec, algorithm)
    episodes = algorithm.exploration_episodes + algorithm.exploitation_episodes
    length = f"{episodes:,} episodes of {spec.horizon:,} steps"
    advice = "lower the horizon of the family, or the number of episodes"
    require_memory(trial * seeds, f"a single trial, of {length},", advice)
    settings = algorithm.__dict__ | {"iterations": config.iterations, "evaluation_trials": config.evaluation_trials}
    each = {
        "capacity": _stored_bytes(spec, algorithm),
        "trials_per_iteration": AT_ONCE * trial,
        "batch_size": trial,
        "evaluation_trials": _REPORT,
        "updates_per_iteration": _REPORT,
        "iterations": _REPORT,
    }
    takes = {name: settings[name] * size * seeds for name, size in each.items() if isinstance(settings.get(name), int)}
    if not _has_replay(algorithm):
        takes.pop("capacity", None)
    _require(takes, settings, seeds)
    state = state_like(spec, algorithm)
    takes["capacity"] = _bytes_of(state.algorithm.replay) * seeds
    rest = _bytes_of((state.algorithm.networks, state.algorithm.targets, state.algorithm.optimisers)) * seeds
    _require(takes, settings, seeds, rest)
    if show and takes["capacity"] > _LARGE:
        count = f" of {settings['capacity']:,} trials" if "capacity" in settings else ""
        tell(f"The replay{count} takes {gigabytes(takes['capacity'])} of memory; a smaller capacity makes it less.")
    return sum(takes.values()) + rest


def replay_bytes(spec: Spec, algorithm: Algorithm) -> float:
    """Bytes of an algorithm's replay."""
    return _bytes_of(jax.eval_shape(lambda: algorithm.replay(spec)))


def _require(takes: dict[str, float], settings: dict[str, Any], seeds: int, rest: float = 0) -> None:
    """Refuse what is too much together, and name what takes most."""
    need, have = sum(takes.values()) + rest, device_memory()
    if need <= have:
        return
    parts = takes | {"the networks": rest}
    # All that cannot fit by themselves, or what takes most.
    names = [name for name in parts if parts[name] > have] or [max(parts, key=lambda name: parts[name])]
    said = " and ".join(f"{gigabytes(parts[n])} for {n}{f'={settings[n]}' if n in settings else ''}" for n in names)
    advice = "lower widths, or the sizes of the family's spaces" if names == ["the networks"] else "lower that"
    beside = f" for {seeds} seeds in one program" if seeds > 1 else ""
    raise ScoutError(
        f"this takes {gigabytes(need)} of memory{beside}, and {gigabytes(have)} are free; {said}: {advice}."
    )


def _has_replay(algorithm: Algorithm) -> bool:
    """Whether trials are stored; asked without making a shape of their number, which may be beyond any shape."""
    return not getattr(getattr(algorithm, "learner", None), "on_policy", False)


def _trial_bytes(spec: Spec, algorithm: Algorithm) -> float:
    """Bytes of a trial as it is learnt from; one being played takes more."""
    return _bytes_made(lambda: blank(spec, algorithm.protocol(), 1))


def _stored_bytes(spec: Spec, algorithm: Algorithm) -> float:
    """Bytes of a trial in a replay of many, where pictures are packed."""
    many, packed = 64, getattr(algorithm, "packed_replay", False)
    return _bytes_made(lambda: replay.init(spec, algorithm.protocol(), many, packed)) / many


def _bytes_made(make: Callable[[], Any]) -> float:
    """Bytes of what `make` would give; infinity where they cannot be counted."""
    try:
        return _bytes_of(jax.eval_shape(make))
    except OverflowError:
        return math.inf


def _bytes_of(tree: Any) -> float:
    leaves = [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.ShapeDtypeStruct)]
    return float(sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in leaves))
