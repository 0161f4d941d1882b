"""The families `cheetah-vel`, `cheetah-dir` and `ant-goal`."""

from importlib.util import find_spec

import numpy as np

from scoutrl.envs.host import HostFamily, from_gymnasium
from scoutrl.envs.host.make import checked_horizon
from scoutrl.envs.mujoco.tasks import AntGoal, CheetahDirection, CheetahVelocity, Maker, Reward, Task
from scoutrl.envs.problems import ProblemSet
from scoutrl.errors import ScoutError

NEEDS = ("mujoco", "imageio")
"""Modules that Gymnasium's environments of MuJoCo import."""
HORIZON = 200
"""Steps of an episode in PEARL and VariBAD."""
_SEED = 1337
"""Of the problems; of the half-cheetah's velocities it is PEARL's."""


def cheetah_vel(reward: Reward = "dense", horizon: int = HORIZON) -> HostFamily:
    """`cheetah-vel`: run at a hidden velocity of 0 to 3 m/s; 100 velocities to learn on, 30 for the test.

    Args:
        reward: "dense" (Finn et al. 2017; Rakelly et al. 2019) or "sparse" (Zhang et al. 2021).
        horizon: steps of an episode.

    Raises:
        ScoutError: MuJoCo is not installed.
    """
    # The stream of a RandomState is frozen: these are the very problems of PEARL's code.
    velocities = np.random.RandomState(_SEED).uniform(0.0, 3.0, 130)
    problems = ProblemSet(velocities, range(100), range(100, 130), ["velocity"])
    return _family("cheetah-vel", CheetahVelocity, problems, reward, horizon)


def cheetah_dir(reward: Reward = "dense", horizon: int = HORIZON) -> HostFamily:
    """`cheetah-dir`: run backwards or forwards; both problems are for learning and for the test.

    Args:
        reward: "dense" (Finn et al. 2017; Rakelly et al. 2019) or "sparse" (Zintgraf et al. 2021b).
        horizon: steps of an episode.

    Raises:
        ScoutError: MuJoCo is not installed.
    """
    return _family("cheetah-dir", CheetahDirection, ProblemSet([0, 1], [0, 1], [0, 1], ["direction"]), reward, horizon)


def ant_goal(reward: Reward = "dense", horizon: int = HORIZON) -> HostFamily:
    """`ant-goal`: go to a hidden place in the disc of radius 3 m; 150 places to learn on, 30 for the test.

    Args:
        reward: "dense" (Rothfuss et al. 2019; Rakelly et al. 2019) or "sparse" (Zintgraf et al. 2021b).
        horizon: steps of an episode.

    Raises:
        ScoutError: MuJoCo is not installed.
    """
    draw = np.random.RandomState(_SEED)
    angles, radii = 2 * np.pi * draw.uniform(size=180), 3 * np.sqrt(draw.uniform(size=180))
    places = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    return _family("ant-goal", AntGoal, ProblemSet(places, range(150), range(150, 180), ["x", "y"]), reward, horizon)


def _family(name: str, kind: type[Task], problems: ProblemSet, reward: Reward, horizon: int) -> HostFamily:
    if any(find_spec(module) is None for module in NEEDS):
        raise ScoutError(f"{name} needs MuJoCo: pip install 'scoutrl[mujoco]'")
    if reward not in ("dense", "sparse"):
        raise ScoutError(f'option reward must be "dense" or "sparse", not {reward!r}')
    # The simulation would go on: that time is up says nothing of what comes (in PEARL and VariBAD as well).
    return from_gymnasium(Maker(kind, reward), problems, checked_horizon(horizon), name=name, time_limit="bootstrap")
