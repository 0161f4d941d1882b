"""Presets: what `scout train ALGORITHM FAMILY` does when nothing else is said.

A preset's settings have the names of `--set`: a hyper-parameter of the algorithm, `iterations`, `evaluation_trials`, or
`env.NAME` for an option of the family. Whatever a preset leaves out keeps the default of the algorithm.
"""

from scoutrl.errors import ScoutError
from scoutrl.runs.presets import grids, lever, on_host, plane, sign, xland
from scoutrl.runs.presets.preset import BUDGETS, UNTIL, Preset, Presets, default

__all__ = ["BUDGETS", "PRESETS", "UNTIL", "Preset", "preset", "presets"]

PRESETS: Presets = grids.PRESETS | lever.PRESETS | sign.PRESETS | plane.PRESETS | on_host.PRESETS | xland.PRESETS
"""(algorithm, family) to its presets by name; `default` is what runs without `--preset`."""


def presets(algorithm: str, family: str) -> dict[str, Preset]:
    """The presets of one pair, by name; there always is a `default`."""
    return default(family, {}) | PRESETS.get((algorithm, family), {})


def preset(algorithm: str, family: str, name: str) -> Preset:
    """One preset.

    Raises:
        ScoutError: there is none of that name.
    """
    known = presets(algorithm, family)
    if name not in known:
        raise ScoutError(f"there is no preset {name!r} of {algorithm} for {family}; there are: {', '.join(known)}.")
    return known[name]
