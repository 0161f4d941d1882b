"""Families without any Python: `gym:ID`, an environment of Gymnasium's registry, with its keyword arguments."""

from collections.abc import Mapping
from typing import Any, final

import gymnasium

from scoutrl.envs.host.family import HostFamily
from scoutrl.envs.host.make import from_gymnasium
from scoutrl.errors import ScoutError
from scoutrl.plugins import GYM, imported, module_of


@final
class Registered:
    """Makes an environment of Gymnasium's registry."""

    def __init__(self, id: str):
        self._id = id

    def __call__(self, arguments: Mapping[str, Any]) -> gymnasium.Env:
        """With these keyword arguments."""
        return gymnasium.make(self._id, disable_env_checker=True, **arguments)


def maker_by_id(name: str) -> Any:
    """A function that makes the family `gym:ID`, with options that JSON can hold."""

    def made(
        problems: Any = None,
        horizon: int | None = None,
        goal: str | None = None,
        codes: int | None = None,
        time_limit: str = "ends",
    ) -> HostFamily:
        if problems is None:
            raise ScoutError(f"say what the problems of {name} are: a list of keyword arguments, by --problems FILE.")
        if isinstance(problems, str):
            raise ScoutError(f"the problems of {name} are keyword arguments; give those in a file by --problems FILE.")
        listed = problems if isinstance(problems, Mapping) else list(problems)
        made = Registered(name.removeprefix(GYM))
        if module := module_of(name):
            imported(module, name)
        return from_gymnasium(
            made,
            listed,
            horizon,
            name=name,
            goal=goal,
            codes=codes,
            time_limit=time_limit,  # pyright: ignore
        )

    return made
