"""Everything to do a run again: command, commit, versions, machine, and settings that differ from the defaults."""

import dataclasses
import shlex
from typing import Any

from scoutrl.algorithms.registry import find
from scoutrl.algorithms.settings import LEARNER, settings_of
from scoutrl.runs.config import RunConfig
from scoutrl.runs.provenance import Provenance


@dataclasses.dataclass(frozen=True)
class Changed:
    """A setting that is not at its default."""

    name: str
    value: str
    default: str
    meaning: str


def command(config: RunConfig) -> str:
    """The command that trains the same agent; settings that the preset of today says are said again, to no harm."""
    words = ["scout", "train", config.algorithm, config.family, "--preset", config.preset, "--seed", str(config.seed)]
    words += ["--steps", str(config.steps)] if config.until is None else ["--until", f"{config.until:g}"]
    options = [f"env.{name}={value}" for name, value in config.family_options.items()]
    usual = {field.name: field.default for field in dataclasses.fields(config)}
    lengths = [
        (name, getattr(config, name)) for name in ("iterations", "evaluation_trials", "evaluations", "policy_lag")
    ]
    of_run = [f"{name}={value}" for name, value in lengths if value != usual[name]]
    sets = [*options, *of_run, *(f"{one.name}={one.value}" for one in changed(config))]
    return shlex.join(words + (["--set", *sets] if sets else []))


def changed(config: RunConfig) -> list[Changed]:
    """All settings of the algorithm that differ from their defaults, whether a preset or a person changed them."""
    known = settings_of(find(config.algorithm), config.settings.get(LEARNER))
    found = []
    for name, value in config.settings.items():
        if name not in known:
            continue
        default = known[name].default
        plain = list(default) if isinstance(default, tuple) else default
        if plain != value:
            found.append(Changed(name, _said(value), _said(plain), known[name].meaning))
    return found


def facts(one: Provenance) -> list[tuple[str, str]]:
    """With what a run was trained, as names and values."""
    versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
    machine = f"{one.processor}, {one.cores} core{'s' if one.cores > 1 else ''}, {one.system}"
    rows: list[tuple[str, Any]] = [
        ("command", one.command),
        ("commit", one.commit or "not from a checkout"),
        ("date", one.date),
        ("versions", versions),
        ("machine", machine),
        ("accelerator", one.accelerator or "none"),
    ]
    return [(name, str(value)) for name, value in rows]


def _said(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
