"""The families there are, by name; none is imported before it is asked for."""

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from scoutrl.errors import ScoutError
from scoutrl.plugins import GYM, Plugin, import_object, missing, unknown, with_installed

if TYPE_CHECKING:
    from scoutrl.envs.base import Spec

GROUP = "scoutrl.families"
"""Plugin-point group under which an installed package offers families of its own."""

_BUILT_IN = {
    "bus": Plugin(
        "scoutrl.envs.bus:Bus",
        "Four buses lead near the corners of a 9x9 city: find out which goes where (24 problems).",
    ),
    "distracting-bus": Plugin(
        "scoutrl.envs.bus:DistractingBus",
        "As bus, with four more buses of no use to anyone; 53 problems to learn from, 523 unseen.",
    ),
    "map": Plugin(
        "scoutrl.envs.bus:Map",
        "As bus, with a map off the way that tells it all at a glance (24 problems).",
    ),
    "cooking": Plugin(
        "scoutrl.envs.cooking:Cooking",
        "Find out what three drawers hold, then cook to order; 63 problems to learn from, number 10 unseen.",
    ),
    "cooking-split": Plugin(
        "scoutrl.envs.cooking:CookingSplit",
        "As cooking, with 16 of the 64 problems unseen.",
    ),
    "lever": Plugin(
        "scoutrl.envs.lever:Lever",
        "One of 64 levers pays and one of them tells which: the coupling of exploring and exploiting, in one step.",
    ),
    "semicircle": Plugin(
        "scoutrl.envs.semicircle:Semicircle",
        "Continuous: find a goal somewhere on a half circle, which pays only near it (80 goals, 100 unseen).",
    ),
    "semicircle-wind": Plugin(
        "scoutrl.envs.semicircle:SemicircleWind",
        "As semicircle, with a wind of which nothing is known either.",
    ),
    "escape-room": Plugin(
        "scoutrl.envs.escape_room:EscapeRoom",
        "Continuous: find the one opening in the wall of a round room (80 openings, 100 unseen).",
    ),
    "sign": Plugin(
        "scoutrl.envs.sign.family:Sign",
        "3D visual navigation: read the sign behind the barrier, then go to the box or key of that colour.",
    ),
    "sign-miniworld": Plugin(
        "scoutrl.envs.sign.miniworld:sign_miniworld",
        "As sign, played in the real simulator.",
        needs=("miniworld",),
    ),
    "minigrid-doors": Plugin(
        "scoutrl.envs.doors:minigrid_doors",
        "Gymnasium: see of what colour a ball is, then open the door of that colour (14 problems, 4 unseen).",
        needs=("minigrid",),
    ),
    "xland": Plugin(
        "scoutrl.envs.xland:xland",
        "XLand-MiniGrid: find out what a rule set wants, which thing is to be held or to lie where (1000, 200 unseen).",
        needs=("xminigrid",),
    ),
    "cheetah-vel": Plugin(
        "scoutrl.envs.mujoco:cheetah_vel",
        "MuJoCo's half-cheetah: run at a velocity that has to be found out (100 velocities, 30 unseen).",
        needs=("mujoco", "imageio"),
    ),
    "cheetah-dir": Plugin(
        "scoutrl.envs.mujoco:cheetah_dir",
        "MuJoCo's half-cheetah: run backwards or forwards, which of them has to be found out.",
        needs=("mujoco", "imageio"),
    ),
    "ant-goal": Plugin(
        "scoutrl.envs.mujoco:ant_goal",
        "MuJoCo's ant: go to a place that has to be found out (150 places, 30 unseen).",
        needs=("mujoco", "imageio"),
    ),
}


def families() -> dict[str, Plugin]:
    """Name to entry: the built-in families that what is installed suffices for, then those of installed packages."""
    return {name: entry for name, entry in _all().items() if all(map(find_spec, entry.needs))}


def find(name: str) -> "Callable[..., Spec]":
    """What makes a family: its class, a function, or one that gives the very object which was named.

    Args:
        name: one of `families()`; `package.module:name` of a class, a function or an object; or `gym:ID`.

    Raises:
        ScoutError: no such family, it cannot be imported, or it is something else, or a class that lacks methods.
    """
    # Imported here, so that a list of the families need not wait for JAX.
    from scoutrl.envs.base import MetaEnv, Spec

    known = _all()
    if name.startswith(GYM):
        from scoutrl.envs.host.by_id import maker_by_id

        return maker_by_id(name)
    if name not in known and ":" not in name:
        advice = "`scout families` lists them; one of your own is named package.module:ClassName"
        raise unknown("family", name, known, advice=advice)
    found = import_object(known[name].path if name in known else name, "family")
    if isinstance(found, Spec):
        return lambda: found
    if not isinstance(found, type) and callable(found):
        return found  # pyright: ignore[reportReturnType] (what it gives is looked at in `make`)
    if not isinstance(found, type) or not issubclass(found, MetaEnv):
        raise ScoutError(f"{name} is no family: it must be a subclass of scoutrl.MetaEnv, a family, or make one.")
    if lacks := missing(found):
        raise ScoutError(f"{name} is no complete family: it must define {', '.join(lacks)}.")
    return found  # pyright: ignore[reportReturnType]


def make(name: str, **options: Any) -> Any:
    """A family, by one of the names that `find` knows.

    Args:
        name: which one.
        options: arguments of its constructor, or of the function that makes it, by name.

    Raises:
        ScoutError: no such family (see `find`), an option it does not take or lacks, a value of another type, or a
            constructor that raises.
    """
    from scoutrl.envs.base import Spec

    made = find(name)
    parameters = {
        option: parameter
        for option, parameter in inspect.signature(made).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    for option, value in options.items():
        if option not in parameters:
            raise unknown("option", option, parameters, of=name)
        _admit(name, option, value, _hints(made).get(option, Any))
    for option, parameter in parameters.items():
        if parameter.default is parameter.empty and option not in options:
            raise ScoutError(f"{name} cannot be made without its option {option!r}: give it a value.")
    try:
        family = made(**options)
    except ScoutError:
        raise
    except (Exception, SystemExit) as error:
        raise ScoutError(
            f"{name} cannot be made: its constructor raised {type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(family, Spec):
        raise ScoutError(f"{name} gave no family but a {type(family).__name__}; scoutrl.from_gymnasium makes one.")
    return family


def built_in(name: str) -> bool:
    """Whether `find` knows a family of Scout's own by this name."""
    return name in _BUILT_IN


def name_of(env: "Spec") -> str:
    """What `make` would call the class of `env`: a name of `families()`, else `package.module:ClassName`.

    A family that a function made is called by its own name.
    """
    if made_by_function(env):
        return env.title
    path = f"{type(env).__module__}:{type(env).__qualname__}"
    return next((name for name, entry in _all().items() if entry.path == path), path)


def made_by_function(env: "Spec") -> bool:
    """Whether `scoutrl.from_gymnasium` or another function made a family, whose class then does not say what it is."""
    from scoutrl.envs.host import HostFamily
    from scoutrl.envs.suites import SuiteFamily

    return isinstance(env, HostFamily | SuiteFamily)


def _all() -> dict[str, Plugin]:
    """Also those that something is missing for: their constructors say what."""
    return with_installed(_BUILT_IN, GROUP)


def _hints(made: Any) -> dict[str, Any]:
    try:
        return get_type_hints(made.__init__ if isinstance(made, type) else made)
    except Exception:  # annotations that cannot be read are the user's own affair
        return {}


def _admit(name: str, option: str, value: Any, annotation: Any) -> None:
    """Refuse a value that a plain annotation rules out; other annotations are left to the constructor."""
    if get_origin(annotation) is Literal:
        admitted, expected = value in get_args(annotation), " or ".join(repr(one) for one in get_args(annotation))
    elif annotation is bool or annotation is str:
        admitted, expected = isinstance(value, annotation), {bool: "True or False", str: "a text"}[annotation]
    elif annotation is int or annotation is float:
        numbers = (int,) if annotation is int else (int, float)
        admitted = isinstance(value, numbers) and not isinstance(value, bool)
        expected = {int: "a whole number", float: "a number"}[annotation]
    else:
        return
    if not admitted:
        raise ScoutError(f"option {option} of {name} must be {expected}; it cannot be {value!r}.")
