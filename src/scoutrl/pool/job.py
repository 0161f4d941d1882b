"""What a worker is told once: how environments are made, and how they are read."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium

from scoutrl.pool.readers import Actions, Reader
from scoutrl.pool.shared import Field

INFO, OBSERVATION = "info", "observation"
"""Where goals are."""


@dataclasses.dataclass(frozen=True)
class Goals:
    """Where the goal of an episode is said, and how it is read."""

    key: str
    """Its key."""
    where: str
    """In the `INFO` of reset, or in the `OBSERVATION`."""
    reader: Reader
    """Reads it."""


@dataclasses.dataclass(frozen=True)
class Job:
    """All that is needed to make environments of a family, step them, and read them."""

    make: Callable[..., gymnasium.Env]
    """From the arguments of a problem to its environment; from nothing if problems are handed to `reset`."""
    arguments: tuple[Any, ...]
    """What `make` or `reset` is given, one for each problem."""
    by_reset: bool
    """Problems are handed to `reset(options=…)`."""
    spaces: tuple[gymnasium.Space, gymnasium.Space]
    """Observation and action space, which all environments must have."""
    observation: Reader
    """Reads an observation without its goal."""
    action: Actions
    """Turns actions into the environment's."""
    goal: Goals | None
    """Where goals are; None in a family without."""

    def new(self, row: int) -> gymnasium.Env:
        """An environment of the problem in a row.

        Raises:
            Exception: whatever `make` raises; ValueError: it is no environment, or one with other spaces.
        """
        env = self.make() if self.by_reset else self.make(self.arguments[row])
        if not isinstance(env, gymnasium.Env):
            raise ValueError(f"make returned a {type(env).__name__}, and no gymnasium.Env")
        for role, wanted, found in zip(
            ("observation", "action"), self.spaces, (env.observation_space, env.action_space), strict=True
        ):
            if wanted != found:
                raise ValueError(f"its {role} space is {found}, and that of other problems is {wanted}")
        return env

    def reset(self, env: gymnasium.Env, row: int, seed: int) -> tuple[Any, Any]:
        """Start an episode: observation and goal, as arrays."""
        answer = env.reset(seed=seed, options=self.arguments[row] if self.by_reset else None)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ValueError("reset returned no (observation, info)")
        seen, info = answer
        return self.read(seen), self.read_goal(seen, info)

    def step(self, env: gymnasium.Env, action: Any) -> tuple[Any, float, bool, bool]:
        """Act: observation as an array, reward, terminated, truncated."""
        seen, reward, terminated, truncated = self.act(env, action)
        return self.read(seen), reward, terminated, truncated

    def act(self, env: gymnasium.Env, action: Any) -> tuple[Any, float, bool, bool]:
        """As `step`, with the observation as the environment gives it."""
        answer = env.step(self.action(action))
        if not isinstance(answer, tuple) or len(answer) != 5:
            raise ValueError("step returned no (observation, reward, terminated, truncated, info)")
        seen, reward, terminated, truncated, _ = answer
        try:
            return seen, float(reward), bool(terminated), bool(truncated)
        except (TypeError, ValueError) as error:
            raise ValueError(f"step returned the reward {reward!r}, and not one number") from error

    def read(self, seen: Any) -> Any:
        """An observation without its goal, as an array."""
        return self.observation(seen)

    def read_goal(self, seen: Any, info: Any) -> Any:
        """The goal of an episode, as an array; None without goals."""
        if self.goal is None:
            return None
        source: Mapping[str, Any] = info if self.goal.where == INFO else seen
        if self.goal.key not in source:
            raise ValueError(f"the {self.goal.where} of reset has no {self.goal.key!r}")
        return self.goal.reader(source[self.goal.key])

    def fields(self, slots: int) -> tuple[Field, ...]:
        """The shared arrays for so many environments at once."""

        def of(name: str, space: Any) -> Field:
            kind = space.dtype if isinstance(space, gymnasium.spaces.Box) else "int32"
            return Field(name, (slots, *space.shape), str(kind))

        flags = [Field(name, (slots,), "bool") for name in ("active", "terminated", "truncated")]
        kinds = {"row": "int32", "seed": "uint32", "beat": "uint32", "reward": "float32"}
        numbers = [Field(name, (slots,), kind) for name, kind in kinds.items()]
        goal = [] if self.goal is None else [of("goal", self.goal.reader.space)]
        return (*flags, *numbers, of("observation", self.observation.space), of("action", self.action.space), *goal)
