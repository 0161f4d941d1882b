"""Presets of the lever."""

from typing import Any

from scoutrl.runs.presets.preset import MARKOV, Preset, Presets, default

_HIDDEN = {"see_rewards": False}
"""On the lever family the reward would tell what only one lever is to tell."""

_SMALL = {
    "trials_per_iteration": 8,
    "updates_per_iteration": 4,
    "batch_size": 32,
    "capacity": 4096,
    "warmup": 0,
    "width": 32,
    "memory_size": 32,
    "policy_width": 64,
}
"""Small networks that learn from few samples: what is counted is samples, of many seeds and sizes."""


def _both(settings: dict[str, Any]) -> dict[str, Preset]:
    return default("lever", settings) | {"coupling": Preset(steps=400_000, settings=settings | _SMALL)}


PRESETS: Presets = {("dream", "lever"): _both(MARKOV | _HIDDEN)} | {
    (_rival, "lever"): _both(_HIDDEN) for _rival in ("rl2", "e-rl2", "import", "varibad")
}
