"""What a preset is, how long each family is trained on, and what all presets share."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Preset:
    """How long to train, and the settings to train with."""

    steps: int
    """Environment steps."""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Name to value, as after `--set`."""
    until: float | None = None
    """Return on validation problems with which training stops once it is held; None: none."""


BUDGETS = {
    "distracting-bus": 3_000_000,
    "bus": 1_800_000,
    "map": 1_800_000,
    "cooking": 4_000_000,
    "cooking-split": 4_000_000,
    "lever": 400_000,
    "sign": 1_000_000,
    "semicircle": 3_000_000,
    "semicircle-wind": 3_000_000,
    "escape-room": 3_000_000,
    "cheetah-vel": 2_000_000,
    "cheetah-dir": 2_000_000,
    "ant-goal": 2_000_000,
    "minigrid-doors": 250_000,
    "xland": 10_000_000,
}
"""Family to environment steps of a default preset, the same for every algorithm; others have `UNTUNED`."""
UNTIL = {"distracting-bus": 0.792, "bus": 0.792, "map": 0.792, "cooking": 0.37, "lever": 0.99}
"""Family to the return that ends a default preset early: 99% of the optimum on its validation problems; of `cooking`
98%, as what the best agent earns there depends on the goals drawn, and differs by 1% from evaluation to evaluation."""
UNTUNED = 1_000_000
"""Steps on families nobody has tuned an algorithm on."""

RIVALS = ("rl2", "e-rl2", "import", "varibad", "pearl", "metacure")
"""The algorithms beside DREAM."""

MARKOV = {"policy_memory": False}
"""For families whose observation, goal and z say all that a policy needs: its memory would only cost time."""

NO_SUCCESSES = {"success_share": 0.0}
"""For algorithms that are not told the problem: successes that are drawn more often than they happen have to count for
less, so that luck does not look like skill, and what is left of the batch teaches less."""

ALL_ALIKE = NO_SUCCESSES | {"priority_share": 0.0}
"""As its authors do, PEARL draws all trials alike."""


Presets = dict[tuple[str, str], dict[str, Preset]]
"""(algorithm, family) to its presets by name."""


def default(family: str, settings: Mapping[str, Any]) -> dict[str, Preset]:
    """The preset that runs without `--preset`, by its name."""
    return {"default": Preset(BUDGETS.get(family, UNTUNED), settings, UNTIL.get(family))}
