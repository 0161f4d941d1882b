"""Families: what can be earned in them, and whether they keep their promises."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from scoutrl._platform import on_this_machine
from scoutrl.envs import Spec
from scoutrl.exact.length import ExplorationLength
from scoutrl.runs.families import build, checked_options, options_only
from scoutrl.training.compilation import use_compilation_cache

if TYPE_CHECKING:
    from scoutrl.reporting.known_bounds import KnownBounds


@on_this_machine()
def bounds(family: str | Spec) -> dict[str, dict[str, float]]:
    """What can be earned in a family, by name of the bound: mean return on "train", "validation" and "test" problems.

    Args:
        family: a name of `scout families`, `package.module:ClassName`, or an object.

    Raises:
        ScoutError: no such family, or one whose states cannot be enumerated.
    """
    from scoutrl.exact.bounds import bounds as computed

    return computed(build(family, {}) if isinstance(family, str) else family)


@on_this_machine()
def exploration_length(family: str | Spec) -> dict[str, ExplorationLength]:
    """How many steps of exploration it takes, at the least, to earn `optimum` afterwards.

    Args:
        family: a name of `scout families`, `package.module:ClassName`, or an object.

    Returns:
        For "train" and "test" problems the least expected number of steps, and whether it is exact.

    Raises:
        ScoutError: no such family, or one that breaks a promise. Where the number cannot be found, the result says why.
    """
    from scoutrl.exact.exploration import exploration_length as computed

    return computed(build(family, {}) if isinstance(family, str) else family)


@on_this_machine()
def check(family: str | Spec, settings: Mapping[str, Any] | Iterable[str] = ()) -> list[str]:
    """Play a family for a moment, as training will play it, and give advice.

    Args:
        family: as for `train`.
        settings: options of the family, as `env.NAME`.

    Returns:
        Sentences: what should be put right comes first, then what was found.

    Raises:
        ScoutError: what has to be put right: an environment that fails, a promise that is broken, a space that nothing
            can be learnt from.
    """
    use_compilation_cache()
    from scoutrl.training.advice import advise

    options = options_only(settings, "scout check")
    return advise(build(family, checked_options(family, options)) if isinstance(family, str) else family)


@on_this_machine()
def find_bounds(family: Spec) -> "KnownBounds":
    """What `bounds` and `exploration_length` say together; of families of Scout's own it is computed once and kept.

    Raises:
        ScoutError: a family whose states cannot be enumerated.
    """
    from scoutrl.exact.bounds import bounds as computed
    from scoutrl.exact.bounds import has_bounds
    from scoutrl.reporting.known_bounds import known_bounds

    if not has_bounds(family):
        computed(family)  # which says why not
    return known_bounds(family)
