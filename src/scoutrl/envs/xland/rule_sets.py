"""Rule sets as arrays: drawn as those of the trivial benchmark are, or read from a file of an official one.

A goal is [5]: its kind, then one thing or two, each a tile and a colour. A rule is [7]: the same, and the thing that
comes of it. What lies in the room at first is [things, 2]. What a rule set does not need is 0.
"""

import dataclasses
import itertools
from importlib import import_module
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from scoutrl.envs.host.problems import kept_apart
from scoutrl.envs.problems import ProblemSet
from scoutrl.envs.xland.codes import BESIDE_AGENT, BESIDE_THING, HOLD
from scoutrl.errors import ScoutError

_MOVED = (3, 4, 5, 7, 12, 11)
"""Ball, square, pyramid, key, star and hexagon."""
_LYING = 6
"""A coloured tile, which is walked on and cannot be picked up."""
_COLOURS = (1, 2, 3, 4, 5, 6, 9, 10, 11, 8)
_PICKABLE = tuple(itertools.product(_MOVED, _COLOURS))
_ALL = tuple(itertools.product((*_MOVED, _LYING), _COLOURS))
_GOALS = (HOLD, *BESIDE_AGENT, *BESIDE_THING)
_DISTRACTORS = 3
_SEED = 42
"""Of the trivial rule sets: the default of the official generator."""
MOST = 21_000
"""How many trivial rule sets there are at most: the official benchmark has as many. There are 21,410 goals."""


@dataclasses.dataclass(frozen=True)
class RuleSets:
    """Some rule sets, all arrays with the leading axis [rule sets]."""

    goal: UInt8[np.ndarray, "n 5"]
    rules: UInt8[np.ndarray, "n rules 7"]
    init_tiles: UInt8[np.ndarray, "n things 2"]

    def problems(self) -> ProblemSet:
        """The numbers that are not 0 in all of them, as components by name; a fifth is kept for the test.

        Kinds, tiles and colours are components each, with XLand's own numbers: what is learnt of a colour goes for
        things and rule sets that were never seen in it.
        """
        parts = {"goal": self.goal[:, None], "rule": self.rules, "thing": self.init_tiles}
        columns = {
            (name if name == "goal" else f"{name} {place + 1}") + (f"[{j}]"): array[:, place, j]
            for name, array in parts.items()
            for place in range(array.shape[1])
            for j in range(array.shape[2])
        }
        used = {name: column for name, column in columns.items() if column.any()}
        splits = kept_apart(len(self.goal))
        ids = np.stack(list(used.values()), axis=1).astype(np.int32)
        return ProblemSet(ids, splits["train"], splits["test"], list(used))


def trivial(count: int) -> RuleSets:
    """Rule sets with a goal, no rules, and the goal's things among three others; no two goals are the same.

    Drawn as `scripts/ruleset_generator.py --chain_depth=0 --num_distractor_objects=3` of XLand-MiniGrid 0.9.3 draws
    them, with which `trivial-21k` was made, by other random numbers.

    Raises:
        ScoutError: there are not so many.
    """
    if count > MOST:
        raise ScoutError(f"option problems of xland is at most {MOST} with benchmark=trivial; it cannot be {count}.")
    # The stream of a RandomState is frozen: other versions of NumPy draw the same rule sets.
    draw, found = np.random.RandomState(_SEED), {}
    while len(found) < count:
        kind = _GOALS[draw.randint(len(_GOALS))]
        choices = [_PICKABLE if kind == HOLD else _ALL, *([_PICKABLE] if kind in BESIDE_THING else [])]
        wanted = [things[draw.randint(len(things))] for things in choices]
        goal = (kind, *itertools.chain(*wanted))
        if goal in found:
            continue
        others = [thing for thing in _ALL if thing not in wanted]
        found[goal] = [*wanted, *(others[place] for place in draw.randint(len(others), size=_DISTRACTORS))]
    goals, things = np.zeros((count, 5), np.uint8), np.zeros((count, 2 + _DISTRACTORS, 2), np.uint8)
    for row, (goal, lying) in enumerate(found.items()):
        goals[row, : len(goal)], things[row, : len(lying)] = goal, lying
    return RuleSets(goals, np.zeros((count, 0, 7), np.uint8), things)


def official(name: str, count: int) -> RuleSets:
    """The first rule sets of a benchmark of XLand-MiniGrid, whose file has been downloaded.

    Raises:
        ScoutError: there is no such benchmark, its file is not there, or there are not so many.
    """
    benchmarks = import_module("xminigrid.benchmarks")
    known = benchmarks.NAME2HFFILENAME
    if name not in known:
        raise ScoutError(f"option benchmark of xland is one of trivial, {', '.join(known)}; it cannot be {name!r}.")
    path = Path(benchmarks.DATA_PATH) / known[name]
    if not path.exists():
        raise ScoutError(
            f"{path} is not there; to download it: python -c \"import xminigrid; xminigrid.load_benchmark('{name}')\""
        )
    found = benchmarks.load_benchmark_from_path(str(path))
    if count > found.num_rulesets():
        raise ScoutError(f"option problems of xland is {count}, and {name} has {found.num_rulesets()} rule sets.")
    goals, rules, things = (np.asarray(array[:count]) for array in (found.goals, found.rules, found.init_tiles))
    # A place for a rule that all leave empty would only cost time.
    return RuleSets(goals, rules[:, rules.any(axis=(0, 2))], things)
