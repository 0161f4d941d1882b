"""The family of a run: checked by name and options, built again later, also when the user handed over an object."""

import inspect
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import equinox as eqx
import jax

from scoutrl.envs import Spec, registry
from scoutrl.envs.check import check_own
from scoutrl.envs.check_pure import in_bytes
from scoutrl.envs.host import HostFamily
from scoutrl.errors import ScoutError
from scoutrl.runs.settings import assignments, fit_all, options_of, without_lists


def build(name: str, options: Mapping[str, Any]) -> Spec:
    """The family of that name, or class `package.module:ClassName`, made with `options`."""
    return registry.make(name, **without_lists(options))


def options_only(sets: Iterable[str] | Mapping[str, Any], what: str) -> dict[str, Any]:
    """The options of a family in settings `env.NAME=VALUE`; `what` there are no other settings of is for the message.

    Raises:
        ScoutError: there is another setting among them.
    """
    chosen = assignments(sets)
    if strangers := [name for name in chosen if not name.startswith("env.")]:
        raise ScoutError(
            f"{what} takes options of the family only, written env.NAME=VALUE; {strangers[0]!r} is none of them."
        )
    return {name.removeprefix("env."): value for name, value in chosen.items()}


def build_checked(name: str, options: Mapping[str, Any]) -> Spec:
    """As `build`, after a check of a family that is not Scout's own.

    Raises:
        ScoutError: it breaks a promise (see `scoutrl.envs.check`), or its constructor draws numbers of its own.
    """
    env = build(name, options)
    if not registry.built_in(name):  # those are checked by Scout's tests, be they of a suite or not
        check_own(env)
    once, again = (
        [in_bytes(leaf) for leaf in jax.tree.leaves(made) if eqx.is_array_like(leaf)]
        for made in (env, build(name, options))
    )
    if once != again:
        raise ScoutError(
            f"{name} is another family each time it is made: its constructor must draw from a fixed seed, as with "
            "np.random.default_rng(0)."
        )
    return env


def checked_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` (text is read), checked against the constructor of the family.

    Raises:
        ScoutError: no such family, an option it does not take, or a value of another type.
    """
    made = registry.find(name)
    return _unusual(made, fit_all(given, options_of(made), name, prefix="env."))


def on_host(name: str, options: Mapping[str, Any], own: Spec | None) -> HostFamily | None:
    """The family, if its environments are stepped on the host; `own` is the object, if it was given as one."""
    if own is None and not isinstance(registry.find(name), type):
        own = build(name, options)
    return own if isinstance(own, HostFamily) else None


def name_of(env: Spec) -> str:
    """What `build` would call an object's class: its name in the registry, else `package.module:ClassName`."""
    if not isinstance(env, Spec):
        raise ScoutError(f"a family is a name or a scoutrl.MetaEnv object; this is a {type(env).__name__}.")
    return registry.name_of(env)


def options_of_object(env: Spec) -> dict[str, Any]:
    """What the constructor was given, as far as attributes of the same name tell and JSON can hold it."""
    if registry.made_by_function(env):
        ids = in_bytes(env.problems.ids)
        return {"horizon": env.horizon, "problems": f"{len(env.problems.ids)}, {zlib.crc32(ids):08x}"}
    found = {}
    for name in inspect.signature(type(env)).parameters:
        value = getattr(env, name, None)
        if isinstance(value, bool | int | float | str | tuple | list) and _is_json(value):
            found[name] = list(value) if isinstance(value, tuple) else value
    return _unusual(type(env), found)


def rebuilds(env: Spec, options: Mapping[str, Any]) -> bool:
    """Whether another process can make the very same object from its class and `options`."""
    if registry.made_by_function(env) or type(env).__module__ == "__main__":
        return False
    try:
        return bool(eqx.tree_equal(build(name_of(env), options), env))
    except Exception:  # a user's constructor may raise anything; then the object cannot be rebuilt
        return False


def _unusual(made: Callable, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `options` that differ from the defaults: to say a default is to say nothing."""
    parameters = inspect.signature(made).parameters
    return {name: value for name, value in options.items() if value != parameters[name].default}


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
