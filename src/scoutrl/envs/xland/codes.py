"""The numbers that XLand-MiniGrid writes rule sets with, and what they mean in words."""

from collections.abc import Sequence

TILES = (
    *("nothing", "floor", "wall", "ball", "square", "pyramid", "tile"),
    *("key", "locked door", "closed door", "open door", "hexagon", "star"),
)
"""Kinds of things, by number; the environments' own name for the tile that is walked on is "goal"."""
COLOURS = (
    *("no", "red", "green", "blue", "purple", "yellow"),
    *("grey", "black", "orange", "white", "brown", "pink"),
)
"""Colours, by number."""
HOLD = 1
"""The goal of holding a thing."""
BESIDE_AGENT = (3, 11, 12, 13, 14)
"""Goals of a thing beside the agent: anywhere; above, right of, below, left of it."""
BESIDE_THING = (4, 7, 8, 9, 10)
"""Goals of a second thing beside a first one: anywhere; above, right of, below, left of it."""
ACTIONS = ("go ahead", "turn right", "turn left", "pick up", "put down", "open or close")
"""What each of the six actions is called."""
_SIDES = ("beside", "above", "right of", "below", "left of")
_FACING = ("beside", "below", "left of", "above", "right of")
"""Where the agent is, when a thing is on such a side of it."""
_AS_GOALS = (0, HOLD, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14)
"""The goal whose condition is that of a rule, by number of the rule."""


def thing(tile: int, colour: int) -> str:
    """A thing in words, such as "red ball"."""
    return f"{COLOURS[colour]} {TILES[tile]}"


def condition(goal: Sequence[int]) -> str:
    """What has to be so, from a goal [5]: its kind, and one thing or two."""
    kind, first, second = goal[0], f"the {thing(*goal[1:3])}", f"the {thing(*goal[3:5])}"
    if kind == HOLD:
        return f"hold {first}"
    if kind in BESIDE_AGENT:
        return f"stand {_FACING[BESIDE_AGENT.index(kind)]} {first}"
    if kind in BESIDE_THING:
        return f"{second} {_SIDES[BESIDE_THING.index(kind)]} {first}"
    return f"goal {', '.join(map(str, goal))}"


def consequence(rule: Sequence[int]) -> str:
    """A rule [7] in words: what has to be so, and the thing that comes of it."""
    two = rule[0] < len(_AS_GOALS) and _AS_GOALS[rule[0]] in BESIDE_THING
    made = rule[5:7] if two else rule[3:5]
    kind = _AS_GOALS[rule[0]] if rule[0] < len(_AS_GOALS) else -rule[0]
    return f"{condition([kind, *rule[1:5]])} makes the {thing(*made)}"
