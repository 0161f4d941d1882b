"""Presets of the point in the plane."""

from scoutrl.runs.presets.preset import ALL_ALIKE, MARKOV, RIVALS, Presets, default

_PLANE = {
    "exploration_episodes": 3,
    "trials_per_iteration": 32,
    "updates_per_iteration": 8,
    "capacity": 8192,
    "learning_rate": 1.5e-3,
    "discount": 0.95,
    "epsilon_high": 0.3,
    "warmup": 30,
    "iterations": 25,
}
"""A point in the plane, for whatever algorithm: three episodes see all of the half circle; ε is drawn in each of two
coordinates; and as warm-up trials are random altogether and held, a few of them do."""

_DREAM_PLANE = (
    MARKOV
    | _PLANE
    | {
        "policy_warmup": 30,
        "explorer_layers": 2,
        "rho": 0.1,
        "bottleneck_weight": 4e-4,
        "decoded_below": 0.8,
        "step_cost": 0.0,
        "decay_updates": 9_000,
    }
)
"""A goal is never met by independent random actions: the policy begins with held ones, too. What z needs to tell is one
number, and noise and bottleneck are strong. The decoder is of use long before it is good. At a steady step
size explorers go on changing their way, and lose a goal here and there."""

PRESETS: Presets = {}
for _family in ("semicircle", "semicircle-wind", "escape-room"):
    PRESETS["dream", _family] = default(_family, _DREAM_PLANE)
    for _rival in RIVALS:
        PRESETS[_rival, _family] = default(_family, _PLANE | (ALL_ALIKE if _rival == "pearl" else {}))
