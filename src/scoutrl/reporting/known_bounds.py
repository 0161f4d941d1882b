"""Bounds of a family that are found once and kept: they do not change while the code does not."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import final

import scoutrl
from scoutrl._platform import cache_directory
from scoutrl.decoding import decode
from scoutrl.envs import Spec
from scoutrl.envs.problems import SPLITS
from scoutrl.errors import ScoutError
from scoutrl.exact.bounds import Bounds, bounds, has_bounds
from scoutrl.exact.exploration import exploration_length
from scoutrl.exact.length import ExplorationLength
from scoutrl.runs.families import name_of, options_of_object, rebuilds
from scoutrl.runs.files import read_text, write_text


@final
@dataclasses.dataclass(frozen=True)
class KnownBounds:
    """What can be earned in a family, and how soon."""

    returns: Bounds
    """As `exact.bounds.bounds`; empty where the family cannot be solved."""
    lengths: dict[str, ExplorationLength]
    """As `exact.exploration.exploration_length`; empty where the family cannot be solved."""

    def on(self, split: str) -> dict[str, float]:
        """The bounds on the return on one split, by name."""
        return {name: value[split] for name, value in self.returns.items()}

    @property
    def shortest(self) -> ExplorationLength | None:
        """The shortest exploration that suffices on test problems."""
        return self.lengths.get("test")


def known_bounds(env: Spec) -> KnownBounds:
    """The bounds of a family, from where they were kept, else computed and kept.

    Raises:
        ScoutError: the family breaks a promise.
    """
    if not has_bounds(env):
        return KnownBounds({}, {})
    file = _file(env)
    if file is not None and (kept := _read(file)) is not None:
        return kept
    found = KnownBounds(bounds(env), exploration_length(env))
    if file is not None:
        _keep(file, found)
    return found


def _file(env: Spec) -> Path | None:
    """Where those of a family are kept; None for families whose code is not Scout's own: it may change unseen."""
    if not type(env).__module__.startswith("scoutrl."):
        return None
    options = options_of_object(env)
    if not rebuilds(env, options):
        return None
    digest = hashlib.sha256(json.dumps([name_of(env), options], sort_keys=True).encode())
    package = Path(scoutrl.__file__).parent
    for source in sorted([*(package / "envs").rglob("*.py"), *(package / "exact").rglob("*.py")]):
        digest.update(source.read_bytes())
    try:
        return cache_directory() / "bounds" / f"{digest.hexdigest()[:32]}.json"
    except RuntimeError:  # there is no home directory
        return None


def _read(file: Path) -> KnownBounds | None:
    try:
        found = decode(json.loads(read_text(file)), KnownBounds, "bounds")
    except (OSError, ValueError, RecursionError, ScoutError):
        return None
    return found if all(value.keys() == set(SPLITS) for value in found.returns.values()) else None


def _keep(file: Path, found: KnownBounds) -> None:
    """That there is no room for them is no reason to fail."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(dataclasses.asdict(found), default=float) + "\n")
    except OSError:
        return
