"""Presets: what `scout train ALGORITHM FAMILY` does when nothing else is said.

A preset's settings have the names of `--set`: a hyper-parameter of the algorithm, `iterations`, `evaluation_trials`, or
`env.NAME` for an option of the family. Whatever a preset leaves out keeps the default of the algorithm.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True)
class Preset:
    """How long to train, and the settings to train with."""

    steps: int
    """Environment steps."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Name to value, as after `--set`."""


UNTUNED = Preset(steps=1_000_000)
"""For families nobody has tuned an algorithm on."""

_MARKOV = {"policy_memory": False}
"""For families whose observation, goal and z say all that a policy needs: its memory would only cost time."""

_COOKING = _MARKOV | {
    "bottleneck_weight": 1.2e-5,
    "success_share": 0.5,
    "interest_share": 0.1,
    "average_rate": 0.02,
}
"""Long tasks with a weak bottleneck: each drawer matters, and exploring is easy; what takes long is the policy."""

PRESETS: dict[tuple[str, str], dict[str, Preset]] = {
    ("dream", "distracting-bus"): {
        "default": Preset(steps=4_000_000, settings=_MARKOV | {"success_share": 0.4}),
        "frugal": Preset(
            steps=400_000,
            settings=_MARKOV | {"trials": 16, "updates": 16, "warmup": 100, "guess_share": 0.75, "iterations": 40},
        ),
    },
    ("dream", "bus"): {"default": Preset(steps=1_800_000, settings=_MARKOV)},
    ("dream", "map"): {"default": Preset(steps=1_800_000, settings=_MARKOV)},
    ("dream", "cooking"): {"default": Preset(steps=6_000_000, settings=_COOKING)},
    ("dream", "cooking-split"): {"default": Preset(steps=6_000_000, settings=_COOKING)},
    ("dream", "lever"): {"default": Preset(steps=400_000, settings=_MARKOV | {"see_rewards": False})},
    ("pearl", "distracting-bus"): {"default": Preset(steps=4_000_000)},
    ("pearl", "bus"): {"default": Preset(steps=1_800_000)},
    ("pearl", "map"): {"default": Preset(steps=1_800_000)},
    ("pearl", "cooking"): {"default": Preset(steps=6_000_000)},
    ("pearl", "cooking-split"): {"default": Preset(steps=6_000_000)},
    ("pearl", "lever"): {"default": Preset(steps=400_000)},
    ("metacure", "distracting-bus"): {"default": Preset(steps=4_000_000)},
    ("metacure", "bus"): {"default": Preset(steps=1_800_000)},
    ("metacure", "map"): {"default": Preset(steps=1_800_000)},
    ("metacure", "cooking"): {"default": Preset(steps=6_000_000)},
    ("metacure", "cooking-split"): {"default": Preset(steps=6_000_000)},
    ("metacure", "lever"): {"default": Preset(steps=400_000)},
}
"""(algorithm, family) to its presets by name; `default` is what runs without `--preset`."""


def presets(algorithm: str, family: str) -> dict[str, Preset]:
    """The presets of one pair, by name; there always is a `default`."""
    return {"default": UNTUNED} | PRESETS.get((algorithm, family), {})


def preset(algorithm: str, family: str, name: str) -> Preset:
    """One preset.

    Raises:
        ScoutError: there is none of that name.
    """
    known = presets(algorithm, family)
    if name not in known:
        raise ScoutError(f"there is no preset {name!r} of {algorithm} for {family}; there are: {', '.join(known)}.")
    return known[name]
