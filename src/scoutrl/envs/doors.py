"""`minigrid-doors`: see of what colour a ball is, then open the door of that colour."""

import itertools
from importlib.util import find_spec

from scoutrl.envs.host import HostFamily, from_gymnasium
from scoutrl.envs.problems import ProblemSet
from scoutrl.errors import ScoutError

HORIZON = 8
"""Enough to look for the ball or to open a door, and not for both."""
_CODES = 11
"""Kinds of things that MiniGrid has in a cell; it has fewer colours and states."""


def minigrid_doors() -> HostFamily:
    """18 problems: the colour of the ball, and which colour each door has; 4 of them unseen.

    Raises:
        ScoutError: MiniGrid is not installed.
    """
    if find_spec("minigrid") is None:
        raise ScoutError("minigrid-doors needs MiniGrid: pip install 'scoutrl[minigrid]'.")
    from scoutrl.simulators.doors import make_doors

    rows = [(ball, *doors) for doors in itertools.permutations(range(3)) for ball in range(3)]
    ids = dict(zip(("ball", "up", "left", "down"), map(list, zip(*rows, strict=True)), strict=True))
    unseen = [0, 5, 10, 12]  # every colour of ball and of door is seen elsewhere
    problems = ProblemSet(ids, [row for row in range(len(rows)) if row not in unseen], unseen)
    return from_gymnasium(make_doors, problems, HORIZON, name="minigrid-doors", codes=_CODES)
