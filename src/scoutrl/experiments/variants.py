"""Algorithms to compare, written as `dream`, and variants of them, as `dream,bottleneck=none`."""

import dataclasses
import re
from collections.abc import Sequence

from scoutrl.algorithms import registry
from scoutrl.errors import ScoutError


@dataclasses.dataclass(frozen=True)
class Variant:
    """An algorithm, or a variant of one."""

    label: str
    """The text it was read from; its name in results and plots."""
    algorithm: str
    """Name in the registry, or `package.module:ClassName`."""
    preset: str | None
    """Name of a preset; None is the default one."""
    sets: dict[str, str]
    """Settings as text, by name."""

    @property
    def directory(self) -> str:
        """Name of the directory of its runs."""
        return re.sub(r"[^A-Za-z0-9._,=+-]+", "-", self.label)


def read_variants(texts: Sequence[str]) -> list[Variant]:
    """The algorithms or variants that `texts` describe, one each.

    Raises:
        ScoutError: there is none, one is named twice, an algorithm is unknown, or what follows a comma is no setting.
    """
    if isinstance(texts, str) or not texts:
        raise ScoutError("name one algorithm or more to compare, for example --algorithms dream dream,bottleneck=none")
    variants = [_read_variant(text) for text in texts]
    directories = [variant.directory for variant in variants]
    twice = next((variant for i, variant in enumerate(variants) if variant.directory in directories[:i]), None)
    if twice is not None:
        raise ScoutError(f"{twice.label!r} is named twice among the algorithms; name it once.")
    return variants


def _read_variant(text: str) -> Variant:
    """Read `ALGORITHM[,NAME=VALUE]…`. A value may have commas itself; `preset=NAME` chooses a preset."""
    algorithm, *parts = text.split(",")
    registry.find(algorithm)
    sets: dict[str, str] = {}
    name = None
    for part in parts:
        before, equals, value = part.partition("=")
        if equals and before.strip():
            name = before.strip()
            sets[name] = value.strip()
        elif name is not None and not equals:
            sets[name] += f",{part}"
        else:
            form = f"{algorithm},NAME=VALUE"
            raise ScoutError(f"{part!r} in {text!r} is no setting: write {form}, as after --set of `scout train`.")
    family = next((name for name in sets if name.startswith("env.")), None)
    if family is not None:
        raise ScoutError(f"{family} in {text!r} would change the family for one algorithm only; give it with --set.")
    return Variant(text, algorithm, sets.pop("preset", None), sets)
