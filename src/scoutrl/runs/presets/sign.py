"""Presets of the sign."""

from scoutrl.runs.presets.preset import ALL_ALIKE, NO_SUCCESSES, RIVALS, Presets, default

_SIGN = {
    "trials_per_iteration": 32,
    "updates_per_iteration": 3,
    "batch_size": 24,
    "capacity": 2048,
    "learning_rate": 1e-3,
    "discount": 0.92,
    "success_share": 0.4,
    "success_floor": 0.0,
    "priority_share": 0.2,
    "random_actions": (0.25, 0.25, 0.47, 0.03),
    "iterations": 25,
}
"""Frames are what costs: fewer trials, and none wasted. Without a price on a step only the discount makes haste."""

PRESETS: Presets = {
    ("dream", "sign"): default(
        "sign",
        _SIGN
        | {
            "z_scale": 1.0,
            "rho": 0.1,
            "bottleneck_weight": 1e-5,
            "decoder_weight": 0.1,
            "step_cost": 0.0,
            "hypothesis_share": 0.0,
            "warmup": 250,
            "policy_warmup": 200,
        },
    ),
}

for _rival in RIVALS:
    # Half of IMPORT's trials are told the problem.
    _drawn = {"pearl": ALL_ALIKE, "import": {}}.get(_rival, NO_SUCCESSES)
    PRESETS[_rival, "sign"] = default("sign", _SIGN | _drawn)
