"""`xland`: find out what the rule set wants, by trying, then do it as fast as can be."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gymnasium
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from scoutrl.envs.host.make import checked_horizon
from scoutrl.envs.suites import SuiteFamily, from_timestep
from scoutrl.envs.xland import picture
from scoutrl.envs.xland.rule_sets import official, trivial
from scoutrl.errors import ScoutError

_PREFIX = "XLand-MiniGrid-"
_LEAST = 10
"""Fewer could not be divided for training and test."""


def xland(
    benchmark: str = "trivial", problems: int = 1000, layout: str = "R1-9x9", horizon: int | None = None
) -> SuiteFamily:
    """`xland`: rule sets of XLand-MiniGrid, a fifth of them unseen; 25 cells are seen as codes.

    Args:
        benchmark: "trivial", which is drawn here, or an official one that has been downloaded, such as "small-1m".
        problems: how many rule sets, the first ones of the benchmark, at least 10.
        layout: rooms and size, such as "R1-9x9" or "R4-13x13".
        horizon: steps of an episode; None takes the environment's own, three for each cell of the grid.

    Raises:
        ScoutError: XLand-MiniGrid is not installed, there is no such layout, benchmark or file, or not so many rule
            sets in it.
    """
    if find_spec("xminigrid") is None:
        raise ScoutError("xland needs XLand-MiniGrid: pip install 'scoutrl[xland]'.")
    xminigrid, constants, types, wrappers = (
        import_module(f"xminigrid{part}") for part in ("", ".core.constants", ".types", ".wrappers")
    )
    if problems < _LEAST:
        raise ScoutError(f"option problems of xland is at least {_LEAST}; it cannot be {problems}.")
    layouts = [name.removeprefix(_PREFIX) for name in xminigrid.registered_environments() if name.startswith(_PREFIX)]
    if layout not in layouts:
        raise ScoutError(f"option layout of xland is one of {', '.join(layouts)}; it cannot be {layout!r}.")
    env, params = xminigrid.make(_PREFIX + layout)
    if horizon is not None:
        params = params.replace(max_steps=checked_horizon(horizon))
    sets = trivial(problems) if benchmark == "trivial" else official(benchmark, problems)
    table = sets.problems()
    cells = np.tile([constants.NUM_TILES, constants.NUM_COLORS], params.view_size**2)
    return from_timestep(
        wrappers.DirectionObservationWrapper(env),
        params,
        table,
        rows={"ruleset": types.RuleSet(goal=sets.goal, rules=sets.rules, init_tiles=sets.init_tiles)},
        name="xland",
        observe=_seen,
        observation_space=gymnasium.spaces.MultiDiscrete([*cells, 4]),
        render=picture.drawer(params.max_steps, params.view_size),
        spot=picture.place,
        describe=picture.description(table.names),
    )


def _seen(observation: dict[str, Any]) -> Int[Array, " codes"]:
    """Tile and colour of each cell ahead, row by row from the far end on, and which way the agent looks."""
    facing = jnp.argmax(observation["direction"])
    return jnp.append(jnp.ravel(observation["img"]).astype(jnp.int32), facing.astype(jnp.int32))
