"""The sign family played in the real simulator, Miniworld (Chevalier-Boisvert et al. 2023)."""

import contextlib
import functools
from importlib.util import find_spec
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Discrete

from scoutrl.envs.host import HostFamily
from scoutrl.envs.host.family import Source
from scoutrl.envs.host.render import drawn, spot_in
from scoutrl.envs.sign.draw import HEIGHT, WIDTH
from scoutrl.envs.sign.family import HORIZON, STARTS, Sign, description
from scoutrl.envs.sign.top import CELL, top_view
from scoutrl.errors import ScoutError
from scoutrl.pool.job import INFO, Goals, Job
from scoutrl.pool.pool import Pool
from scoutrl.pool.readers import Actions, Number, Picture
from scoutrl.simulators.sign import MakeSign, SignWorld

DEBIAN = "libegl1 libgl1 libglu1-mesa libfontconfig1"
"""System packages it needs."""
_PATIENCE = 60.0
"""Seconds that an environment may take to be made, reset or stepped."""


def sign_miniworld(
    start: Literal["paper", "miniworld"] = "paper", height: int = HEIGHT, width: int = WIDTH
) -> HostFamily:
    """`sign-miniworld`: the rules of `sign`; every step is made and every frame drawn by Miniworld.

    The arguments are those of `sign`.

    Raises:
        ScoutError: Miniworld or something it needs is not installed.
    """
    twin = Sign(start, height, width)
    check()
    source = Source(_job(twin), None, _PATIENCE, description())
    beside: dict[str, Any] = {"name": "sign-miniworld", "source": source, "time_limit": "ends"}
    return HostFamily(problems=twin.problems, spaces=twin.spaces, goals=np.arange(2), horizon=HORIZON, **beside)


@functools.cache
def check() -> None:
    """Have a worker draw a frame, to see whether it works before anything else is done.

    Raises:
        ScoutError: Miniworld or something it needs is not installed.
    """
    if find_spec("miniworld") is None:
        raise ScoutError(
            "sign-miniworld needs the real simulator: pip install 'scoutrl[miniworld]', and on Debian "
            f"apt-get install -y --no-install-recommends {DEBIAN}"
        )
    with contextlib.closing(Pool(_job(Sign(height=8, width=8)), 1, 1, _PATIENCE)) as pool:
        pool.of("active", 0)[:] = True
        pool.reset(0)
        failures = list(pool.wait(0).values())
    if failures:
        raise ScoutError(
            f"Miniworld failed ({failures[0]}); on Debian it needs: apt-get install -y --no-install-recommends {DEBIAN}"
        )


def _job(twin: Sign) -> Job:
    """How environments are made that have the rules of `twin`."""
    size = twin.height, twin.width
    make = MakeSign(STARTS[twin.start], *size)
    like = make({"colour": 0})
    return Job(
        make=make,
        arguments=tuple({"colour": colour} for colour in twin.problems.ids[:, 0].tolist()),
        by_reset=False,
        spaces=(like.observation_space, like.action_space),
        observation=Picture((*size, 3), (0, 1, 2)),
        action=Actions(like.action_space, Discrete(4)),
        goal=Goals("goal", INFO, Number(Discrete(2))),
    )


@drawn.register
def _(env: SignWorld, goal: bool) -> np.ndarray:
    """From above, as `sign` draws it."""
    x, z, heading = map(jnp.float32, env.pose[:3])
    wanted = jnp.int32(env.goal) if goal else None
    return np.asarray(top_view(x, z, heading, jnp.int32(env.colour), wanted, jnp.float32(env.steps / HORIZON)))


@spot_in.register
def _(env: SignWorld) -> np.ndarray:
    return CELL * env.pose[:2]
