"""What the adapters share: from a suite and its problems to a family."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, Unpack

import jax
import numpy as np

from scoutrl import prng
from scoutrl.envs.base import Spaces
from scoutrl.envs.describe import Description
from scoutrl.envs.host.make import checked_horizon
from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.raised import returned
from scoutrl.envs.suites.base import Suite, looked_up
from scoutrl.envs.suites.family import Looks, Simulator, SuiteFamily
from scoutrl.envs.suites.problems import Fields, read_problems
from scoutrl.envs.suites.rows import Rows
from scoutrl.envs.suites.spaces import Reader, actions_of, of_array, of_space
from scoutrl.errors import ScoutError


class Options(TypedDict, total=False):
    """What all adapters take by name."""

    rows: Mapping[str, Any] | None
    """Values by field, one row for each problem, where `problems` are IDs that are not the values themselves."""
    name: str | None
    """What to call the family; None takes the name of the environment."""
    observe: Callable[[Any], Any] | None
    """From the suite's observation to what agents see, in JAX; None: all of it, flat."""
    observation_space: Any
    """Gymnasium's or the suite's space of what agents see; None: what the environment or its arrays say."""
    action_space: Any
    """Gymnasium's or the suite's space of actions; None: what the environment says."""
    codes: int
    """How many codes the cells of a grid take whose space does not say; 16."""
    render: Callable[[Any], Any] | None
    """From the suite's state to a picture, uint8 [height, width, 3], in JAX; None draws what is seen."""
    spot: Callable[[Any], Any] | None
    """From the suite's state to column and row, in pixels, of the agent in that picture, in JAX; None: nowhere."""
    describe: Description
    """The family in words and small pictures, for films and pages."""
    time_limit: Literal["ends", "bootstrap"]
    """What it means for learning that time is up: it "ends" the return (default), or learners "bootstrap"."""


def made(
    suite: Suite,
    base: Any,
    called: str,
    problems: ProblemSet | Fields,
    horizon: int | None,
    **options: Unpack[Options],
) -> SuiteFamily:
    """A family of a suite.

    Args:
        suite: how one environment is stepped.
        base: the parameters or the environment whose fields are replaced.
        called: the name of the environment.
        problems: with `rows`, as for `read_problems`.
        horizon: the most steps of an episode.
        options: see `Options`.

    Raises:
        ScoutError: problems, spaces or a horizon that cannot be used, or an environment that raises something.
    """
    limit, name = options.get("time_limit", "ends"), options.get("name") or called
    if limit not in ("ends", "bootstrap"):
        raise ScoutError(f'time_limit must be "ends" or "bootstrap"; it is {limit!r}.')
    if horizon is None:
        raise ScoutError(f"say how many steps an episode of {name} lasts: horizon=….")
    table, values = read_problems(problems, options.get("rows"))
    values = {path: _fitted(value, looked_up(base, path)) for path, value in values.items()}
    first = jax.tree.map(lambda leaf: leaf[0], values)
    actions = actions_of(options.get("action_space") or suite.spaces()[1], f"the action of {name}")
    observations = _observations(suite, first, name, options)
    looks = Looks(options.get("render"), options.get("spot"), options.get("describe", Description()))
    simulator = Simulator(suite, observations, actions, looks)
    simulator.look(first, name)
    return SuiteFamily(
        problems=table,
        spaces=Spaces(observations.space, actions.space),
        rows=Rows(table, values),
        horizon=checked_horizon(horizon),
        name=name,
        simulator=simulator,
        time_limit=limit,
    )


def _observations(suite: Suite, values: Mapping[str, Any], name: str, options: Options) -> Reader:
    """What reads observations: by the space that is given, else the suite's, else by shape and type."""
    what, codes, observe = f"the observation of {name}", options.get("codes", 16), options.get("observe")
    _, example = returned(f"{name}.reset", suite.reset, values, prng.key(0))
    space = options.get("observation_space")
    if observe is not None:
        example = returned("observe", observe, example)
    elif space is None:
        space = suite.spaces()[0]
    reader = of_array(example, what, codes) if space is None else of_space(space, what, codes)
    return reader if observe is None else Reader(reader.space, lambda seen: reader.read(observe(seen)))


def _fitted(value: Any, base: Any) -> Any:
    """Whole numbers as real ones where the field holds real ones, and as truth values where it holds those."""
    if not isinstance(value, np.ndarray):
        return value
    kind = np.asarray(base).dtype.kind
    if kind == "b":
        return value.astype(bool)
    return value.astype(np.float32) if kind == "f" or value.dtype.kind == "f" else value
