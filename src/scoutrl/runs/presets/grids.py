"""Presets of the grid families."""

from scoutrl.runs.presets.preset import ALL_ALIKE, MARKOV, NO_SUCCESSES, RIVALS, Preset, Presets, default

_OFTEN = {"success_share": 0.4}
"""Some goals are reached far less often than others, and the policy has to learn them all."""

_BUS = MARKOV | _OFTEN

_BRISK = {"step_cost_below": 0.6, "step_cost": 0.03}
"""Of what the encoder holds, 0.4 stays unknown after the best exploration: with the usual 0.3 a step would never cost
anything. With 0.02 a step explorers of the distracting bus still wander (12 to 17 steps, where 10 suffice), with 0.03
they take 11."""

_SMALL_STEPS = {
    "policy_width": 64,
    "batch_size": 16,
    "updates_per_iteration": 8,
    "learning_rate": 3e-3,
    "decay_updates": 20_000,
}
"""Small networks, and many small steps that become smaller, whatever algorithm learns: an iteration takes about half as
long. Small batches fall back now and then unless the step size falls."""

_QUICK = _BUS | _SMALL_STEPS | _BRISK | {"z_scale": 0.1, "bottleneck_weight": 8e-5}
"""With a memory shared by decoder and explorer an iteration would take less still, but explorers of the distracting bus
then wander for twice as long before they are quick."""

_LONG = {"success_share": 0.5, "average_rate": 0.02, "policy_width": 256}
"""For tasks that take many steps to do, whatever algorithm learns them: what takes long is the policy. A narrow
one learns training problems as well, and fails in more of the unseen ones."""

_COOKING = MARKOV | _LONG | {"bottleneck_weight": 4e-5, "priority_share": 0.1}
"""Each drawer matters, and exploring is easy."""

PRESETS: Presets = {
    ("dream", "distracting-bus"): default("distracting-bus", _QUICK)
    | {
        "frugal": Preset(
            steps=400_000,
            settings=MARKOV
            | {
                "trials_per_iteration": 16,
                "updates_per_iteration": 16,
                "warmup": 100,
                "hypothesis_share": 0.75,
                "iterations": 40,
            },
        ),
    },
    ("dream", "bus"): default("bus", _BUS | _BRISK),
    ("dream", "map"): default("map", _QUICK | {"step_cost": 0.06}),
    ("dream", "cooking"): default("cooking", _COOKING),
    ("dream", "cooking-split"): default("cooking-split", _COOKING),
}

_FOR_RIVALS = {"distracting-bus": NO_SUCCESSES, "map": {}, "bus": {}, "cooking": _LONG, "cooking-split": _LONG}
"""With the small networks and steps of DREAM's preset E-RL², IMPORT and MetaCURE do worse on the distracting bus:
rivals keep the larger ones of their classes. On `map` IMPORT has been seen to do well with the small ones."""

for _rival in RIVALS:
    for _family, _settings in _FOR_RIVALS.items():
        PRESETS[_rival, _family] = default(_family, _settings | (ALL_ALIKE if _rival == "pearl" else {}))
PRESETS["import", "map"] = default("map", _OFTEN | _SMALL_STEPS)
PRESETS["metacure", "distracting-bus"] = default("distracting-bus", {})
