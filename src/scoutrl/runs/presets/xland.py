"""Presets of XLand's rule sets."""

from scoutrl.runs.presets.preset import ALL_ALIKE, RIVALS, Presets, default

_XLAND = {
    "trials_per_iteration": 32,
    "updates_per_iteration": 16,
    "batch_size": 16,
    "capacity": 2048,
    "warmup": 50,
    "iterations": 10,
    "evaluation_trials": 80,
}
"""Not tuned. Episodes are twelve times as long as those of other grids: fewer trials at a time hold many more steps,
and are followed by more gradient steps. What an agent carries it does not see, so that its memory has to tell."""

PRESETS: Presets = {("dream", "xland"): default("xland", _XLAND | {"step_cost": 0.002})}
"""A step of exploring costs as much less as there are more."""

for _rival in RIVALS:
    PRESETS[_rival, "xland"] = default("xland", _XLAND | (ALL_ALIKE if _rival == "pearl" else {}))
